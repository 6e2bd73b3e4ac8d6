"""Columns of an unpickled file, which may be lists or arrays: texts, numbers, lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.errors import DataError

from .arrays import PickledArray

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def read_texts(place: str, key: str, value: Any, path: Path, scratch: Path) -> list[str]:
    """A list of texts. Raises DataError where it is something else."""
    values = value.open(path, scratch).reshape(-1).tolist() if isinstance(value, PickledArray) else value
    if not isinstance(values, list):
        raise DataError(f"{place}: {key} is no list")
    texts = [_text(item) for item in values]
    if None in texts:
        position = texts.index(None)
        raise DataError(f"{place}: {key} number {position + 1:,} is {values[position]!r:.60}, expected text")
    return [text for text in texts if text is not None]


def read_numbers(place: str, key: str, value: Any, rows: int, path: Path, scratch: Path) -> NDArray[np.float64]:
    """(rows,) numbers. Raises DataError where there are others, or fewer, or more."""
    values = value.open(path, scratch) if isinstance(value, PickledArray) else value
    try:
        numbers = np.array(values, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{place}: {key} are not numbers") from None
    if numbers.size != rows or numbers.ndim not in (1, 2):
        raise DataError(
            f"{place}: {key} has shape {numbers.shape}, expected one number for each of {rows:,} samples"
        )
    return numbers.reshape(-1)


def read_lengths(place: str, key: str, value: Any, rows: int, path: Path, scratch: Path) -> NDArray[np.int64]:
    """(rows,) integers, not negative. Raises DataError."""
    numbers = read_numbers(place, key, value, rows, path, scratch)
    bad = np.flatnonzero(~((numbers >= 0) & (numbers <= 2**31) & (numbers == np.floor(numbers))))
    if len(bad):
        raise DataError(f"{place}: {key} number {bad[0] + 1:,} is {numbers[bad[0]]:g}, expected a number of steps")
    return numbers.astype(np.int64)


def _text(item: Any) -> str | None:
    if isinstance(item, bytes):
        try:
            return item.decode()
        except UnicodeDecodeError:
            return None
    return item if isinstance(item, str) else None
