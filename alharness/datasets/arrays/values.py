"""The numbers of an array: checked and gathered in pieces, as it may be larger than memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.rows import Rows, pieces
from alharness.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .files import Stored
    from .table import LabelTable


def check_values(stored: Stored, table: LabelTable) -> None:
    """Raise DataError, naming file and sample, for a value or a length that cannot be used."""
    array, lengths = stored.array, stored.lengths
    if array.dtype.kind == "f":
        _check_finite(stored, table)
    if lengths is not None:
        bad = np.flatnonzero((lengths < 0) | (lengths > array.shape[1]))
        if len(bad):
            raise DataError(
                f"{stored.lengths_path}: {table.sample(bad[0])} has length {lengths[bad[0]]}, "
                f"expected 0 to {array.shape[1]}, the number of steps in {stored.path.name}"
            )


def gather(array: NDArray[Any], rows: Sequence[int]) -> NDArray[np.float32] | Rows:
    """These rows, given in ascending order, as float32: still in their file if that holds float32, else copied."""
    if array.dtype == np.float32:
        first, last = rows[0], rows[-1]
        together = last - first + 1 == len(rows)
        return np.asarray(array[first : last + 1]) if together else Rows.of(array, np.array(rows))
    part = np.empty((len(rows), *array.shape[1:]), np.float32)
    for piece in pieces(part):
        part[piece] = array[rows[piece]]
    return part


def _check_finite(stored: Stored, table: LabelTable) -> None:
    for piece in pieces(stored.array):
        with np.errstate(over="ignore"):
            good = np.isfinite(stored.array[piece].astype(np.float32))
        if good.all():
            continue
        row, *place = np.argwhere(~good)[0].tolist()
        value = stored.array[piece][row, *place]
        steps = "; steps after a sample's length must be finite too" if place[1:] else ""
        raise DataError(
            f"{stored.path}: {table.sample(piece.start + row)} holds {value} at {place}, "
            f"expected finite float32 numbers{steps}"
        )
