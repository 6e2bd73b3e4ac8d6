"""Columns of an unpickled file, which may be lists or arrays: plain values, numbers, lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alharness import DataError
from alharness.api.importing import shown

from .arrays import Kind, PickledArray
from .opcodes import Malformed, Payload

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

DEEPEST = 8
"""Containers of one value that a value may be wrapped in."""

LONGEST_NUMBER = 40
"""Characters of a text that is a number."""


class Reader:
    """Reads columns of one file.

    Args:
        path: the file with the content of arrays.
        scratch: folder for contents that must be decoded first.
    """

    def __init__(self, path: Path, scratch: Path) -> None:
        self._path = path
        self._scratch = scratch

    def open(self, place: str, array: PickledArray) -> NDArray[Any]:
        """The array, memory-mapped if it is large. Raises DataError if it is damaged."""
        try:
            return array.open(self._path, self._scratch)
        except (Malformed, ValueError, TypeError) as error:
            raise DataError(f"{place} cannot be read: {error!s:.300}; get the file again") from None

    def items(self, place: str, value: Any) -> list[Any]:
        """The values of a list, a tuple or an array; rows of an array of several axes are lists.

        Raises:
            DataError: it has another form.
        """
        if isinstance(value, PickledArray):
            array = self.open(place, value)
            if not array.ndim:
                raise DataError(f"{place} is a single value, expected one for each sample")
            return self._plain(place, array.reshape(len(array), -1) if array.ndim > 1 and array.size else array)
        if not isinstance(value, list | tuple) or is_internal(value):
            raise DataError(f"{place} is no list, but {describe(value)}; expected a value for each sample")
        return list(value)

    def alone(self, place: str, value: Any) -> Any:
        """The value inside lists, tuples and arrays that hold nothing else."""
        for _ in range(DEEPEST):
            if isinstance(value, PickledArray) and value.size == 1:
                (value,) = self._plain(place, self.open(place, value).reshape(-1))
            elif isinstance(value, list | tuple) and not is_internal(value) and len(value) == 1:
                (value,) = value
            else:
                break
        return value

    def numbers(self, place: str, value: Any, rows: int) -> NDArray[np.float64]:
        """(rows,) numbers. Raises DataError if there are others, or fewer, or more."""
        if isinstance(value, PickledArray) and value.kind is not None and value.kind.code[0] in "bfiu":
            found = self.open(place, value).astype(np.float64)
            shape = found.shape
        else:
            items = self.items(place, value)
            shape = value.shape if isinstance(value, PickledArray) else (len(items),)
            found = np.array([self._number(place, n, item) for n, item in enumerate(items, start=1)], np.float64)
        if found.size != rows or max(shape, default=1) != rows:
            raise DataError(f"{place} has shape {shape}, expected one number for each of {rows:,} samples")
        return found.reshape(-1)

    def lengths(self, place: str, value: Any, rows: int) -> NDArray[np.int64]:
        """(rows,) integers, not negative. Raises DataError."""
        numbers = self.numbers(place, value, rows)
        bad = np.flatnonzero(~((numbers >= 0) & (numbers <= 2**31) & (numbers == np.floor(numbers))))
        if len(bad):
            raise DataError(f"{place} number {bad[0] + 1:,} is {numbers[bad[0]]:g}, expected a number of steps")
        return numbers.astype(np.int64)

    def _plain(self, place: str, array: NDArray[Any]) -> list[Any]:
        try:
            return list(array.tolist())
        except (ValueError, SystemError) as error:  # bytes that are no text
            raise DataError(f"{place} cannot be read: {error!s:.300}; get the file again") from None

    def _number(self, place: str, position: int, item: Any) -> float:
        value = self.alone(place, item)
        try:
            if isinstance(value, int | float) or (isinstance(value, str) and len(value) <= LONGEST_NUMBER):
                return float(value)
        except (ValueError, OverflowError):
            pass
        raise DataError(f"{place} are not numbers: number {position:,} is {describe(value)}")


def describe(value: Any) -> str:
    """What a value of the file is, in a few words."""
    match value:
        case PickledArray():
            return f"an array of shape {word_of_shape(value.shape)}"
        case Payload():
            return f"{'a text' if value.text else 'bytes'} of {value.size:,} bytes"
        case Kind():
            return "a type of numbers"
    return "a name" if is_internal(value) else shown(value)


def word_of_shape(shape: tuple[int, ...]) -> str:
    """A shape as Python writes it, cut."""
    return f"{shape}" if len(shape) <= DEEPEST else f"{shape[:DEEPEST]} and more"


def is_internal(value: Any) -> bool:
    """Whether a value that looks like a tuple is one of this package's own: a name, or a text left in the file."""
    return isinstance(value, tuple) and type(value) is not tuple
