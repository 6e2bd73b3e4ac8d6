"""A document as files: one page that needs nothing else, pictures as PNG and SVG, tables as CSV."""

from .files import Written, write

__all__ = ["Written", "write"]
