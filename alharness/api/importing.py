"""For data sets that read files: their headers, and what messages say of their content. No heavy imports.

A value of a file can be as long, and nested as deeply, as its author likes. `repr` builds all of its text before
anything can be cut; `shown` and `word` format nothing but what they show.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from alharness.text.words import did_you_mean

from .samples import Pooling, pool

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Pooling", "did_you_mean", "pool", "read_header", "readable", "shown", "word"]

MOST = 60
"""Characters that are shown of a text."""

LONGEST_NUMBER = 256
"""Bits of a whole number that is written out."""


def readable(path: Path) -> Path:
    """The same place, as short as one would type it: `data/mine`, not `/home/me/project/specs/../data/mine`."""
    try:
        whole, here = path.resolve(), Path.cwd()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a name that no file can have
        return path
    return whole.relative_to(here) if whole.is_relative_to(here) else whole


def shown(value: Any, most: int = MOST) -> str:
    """A plain value as Python writes it, texts in quotes; of a container, its kind and its size.

    >>> shown("glad"), shown([1, 2, 3])
    ("'glad'", 'a list of 3')
    """
    match value:
        case str() | bytes():
            return repr(value[:most]) + _rest(value, most)
        case bool() | float() | None:
            return repr(value)
        case int():
            bits = value.bit_length()
            return repr(value) if bits <= LONGEST_NUMBER else f"a whole number of {bits:,} bits"
        case list() | tuple() | dict():
            kind = {list: "a list", tuple: "a tuple", dict: "a mapping"}.get(type(value), "a tuple")
            return f"{kind} of {len(value):,}"
    return f"a {type(value).__name__[:most]}"


def word(value: Any, most: int = MOST) -> str:
    """The same, a text without its quotes: for names in the middle of a sentence."""
    return repr(value[:most])[1:-1] + _rest(value, most) if isinstance(value, str) else shown(value, most)


def _rest(value: str | bytes, most: int) -> str:
    return "..." if len(value) > most else ""


def read_header(path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of a .npy file. Read before numpy reads it, which would try to unpickle a file without one.

    Raises:
        OSError: it cannot be read.
        ValueError: it is malformed.
    """
    from numpy.lib import format as npy

    with path.open("rb") as file:
        try:
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read(file)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 numpy raises many kinds
            raise ValueError(str(error)) from None
    return shape, dtype
