"""A modality as one array on disk, written once from the columns that it is made of, and mapped from then on."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from alharness.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .sources import Source

FORMAT = 1
"""Of the files; a change makes new ones."""

FOLDER = ".alharness"
"""Their folder, next to the data."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Mapped:
    """A modality.

    Attributes:
        array: (n, d) float32 or float16, mapped; rows of samples that lack it are zeros.
        present: (n,) which samples have it.
    """

    array: NDArray[Any]
    present: NDArray[np.bool_]


def mapped(
    source: Source, modality: str, columns: Sequence[str], precision: str, place: Callable[[int], str]
) -> Mapped:
    """The modality of these columns; written first, if it is not there or the data have changed.

    Args:
        source: of the columns.
        modality: its name.
        columns: next to each other.
        precision: float32 or float16.
        place: what messages call a row.

    Raises:
        DataError: a value cannot be used, or there is no room.
    """
    folder = _folder(source)
    known = [FORMAT, source.version, source.rows, precision, *columns]
    for file in source.files:  # from here, so that data and folder may be moved together
        known += [os.path.relpath(file.resolve(), folder.resolve()), file.stat().st_size, file.stat().st_mtime_ns]
    key = hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]
    numbers, there = folder / f"{modality}-{key}.npy", folder / f"{modality}-{key}-present.npy"
    if not there.exists():  # written last
        try:
            _write(source, columns, np.dtype(precision), place, numbers, there)
        except OSError as error:
            raise DataError(
                f"{numbers}: cannot be written: {error.strerror or error}; make room, or move the data to a "
                "larger disk"
            ) from None
    return Mapped(array=npy.open_memmap(numbers, mode="r"), present=np.load(there))


def _folder(source: Source) -> Path:
    """Next to the data if it can be there; otherwise in the user's cache."""
    if source.files:
        folder = source.files[0].parent / FOLDER
        with suppress(OSError):
            folder.mkdir(exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "alharness"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def _write(
    source: Source,
    columns: Sequence[str],
    kind: np.dtype[Any],
    place: Callable[[int], str],
    numbers: Path,
    there: Path,
) -> None:
    """Piece by piece, under another name until it is whole."""
    present = np.ones(source.rows, bool)
    new = numbers.with_name(f".{numbers.name}-{os.getpid()}")
    try:
        with new.open("wb") as file:
            row, width = 0, 0
            for given, valid in source.pieces(columns):
                if row == 0:
                    width = given.shape[1]
                    header = {"descr": npy.dtype_to_descr(kind), "fortran_order": False}
                    npy.write_array_header_1_0(file, header | {"shape": (source.rows, width)})
                with np.errstate(over="ignore"):
                    piece = np.ascontiguousarray(given, kind)
                good = np.isfinite(piece)
                lacks = ~valid | (np.isnan(piece).all(axis=1) if not good.all() else False)
                good[lacks] = True
                if not good.all():
                    at, column = np.argwhere(~good)[0].tolist()
                    _refuse(place(row + at), columns, column, given[at, column], kind)
                if lacks.any():
                    piece = np.where(lacks[:, None], kind.type(0), piece)
                present[row : row + len(piece)] = ~lacks
                file.write(piece.data)
                row += len(piece)
        if row != source.rows or not width:
            raise DataError(f"{source.name}: has {row:,} rows of {width} numbers, expected {source.rows:,} rows")
        new.replace(numbers)
        with new.open("wb") as file:
            np.save(file, present)
        new.replace(there)
    finally:
        new.unlink(missing_ok=True)


def _refuse(where: str, columns: Sequence[str], column: int, value: Any, kind: np.dtype[Any]) -> None:
    name = columns[column] if len(columns) > 1 and column < len(columns) else f"{columns[0]}[{column}]"
    advice = "; set precision: float32" if kind == np.float16 and np.isfinite(value) else ""
    raise DataError(f"{where}: {name} is {value}, expected finite {kind} numbers{advice}")
