"""For data sets that read files: their headers, pooled sequences, words on their content. No heavy imports.

A value of a file can be as long, and nested as deeply, as its author likes. `repr` builds all of its text before
anything can be cut; `shown` and `word` format nothing but what they show.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from alharness.errors import DataError
from alharness.text.words import did_you_mean

if TYPE_CHECKING:
    import numpy as np

    from .rows import Rows

    Array = np.ndarray[Any, Any]

__all__ = ["Pooling", "did_you_mean", "pool", "read_header", "read_shipped", "readable", "shown", "word"]

Pooling = Literal["mean", "first"]
"""How a sequence becomes one vector: the mean over its valid steps, or its first one (the CLS token of a text)."""

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


def read_shipped(path: Path, distribution: str) -> dict[str, Array]:
    """Name -> array, of an .npz file that comes with this distribution.

    Raises:
        DataError: it is damaged, or not there.
    """
    from zipfile import BadZipFile

    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise DataError(f"{path}: damaged ({error}); install {distribution} again") from None


def pool(array: Array | Rows, lengths: Array | None, pooling: Pooling) -> Array:
    """One vector per sequence, (n, d) float32, from (n, t, d); (n,) lengths, None if all are full.

    The mean runs over the valid steps, in float64; length 0 counts as 1.

    >>> import numpy as np
    >>> from alharness.api.importing import pool
    >>> steps = np.array([[[1.0], [3.0], [0.0]]], np.float32)  # one sequence, of which two steps are valid
    >>> pool(steps, np.array([2]), "mean"), pool(steps, None, "first")
    (array([[2.]], dtype=float32), array([[1.]], dtype=float32))
    """
    import numpy as np

    if pooling == "first":
        return np.array(array[:, 0], np.float32)
    full = np.full(len(array), array.shape[1])
    out = np.empty((len(array), array.shape[2]), np.float32)
    for row, length in enumerate(np.maximum(full if lengths is None else lengths, 1)):
        # Row by row: a memory-mapped array stays on disk.
        out[row] = array[row, :length].mean(axis=0, dtype=np.float64)
    return out
