"""Reading a spec: YAML with places, typed values, and every mistake reported with file, line and column."""

from .chosen import Chosen
from .reader import Spec, load, load_all, resolved_yaml

__all__ = ["Chosen", "Spec", "load", "load_all", "resolved_yaml"]
