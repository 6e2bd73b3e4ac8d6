"""The numpy files of a folder: which there are, what their headers promise, and their numbers.

Numbers are checked and gathered in pieces, as an array may be larger than memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from alharness.api.importing import did_you_mean, read_header
from alharness.api.rows import Rows, pieces
from alharness.errors import DataError

from .foreign import advise, find_foreign
from .params import LENGTHS, check_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .table import LabelTable

REAL = "fiub"
"""Kinds of numpy types that can become float32."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stored:
    """A modality as it is stored on disk.

    Attributes:
        path: of the array.
        array: (n, d) or (n, t, d), of any real type, memory-mapped.
        lengths_path: of the lengths, whether there are any or not.
        lengths: (n,) integers, or None.
    """

    path: Path
    array: NDArray[Any]
    lengths_path: Path
    lengths: NDArray[Any] | None


def find_modalities(folder: Path) -> list[str]:
    """Names of all modalities that have a file, in alphabetical order. Raises DataError for a missing folder."""
    try:
        if not folder.exists():
            raise DataError(
                f"{folder}: not found; expected a folder with labels.csv and one <modality>.npy per modality"
            )
        # Hidden files: some systems leave `._audio.npy` next to `audio.npy`.
        files = [path for path in folder.iterdir() if path.suffix == ".npy" and path.name[0] != "."]
        names = sorted(path.stem for path in files if path.is_file())
    except NotADirectoryError:
        raise DataError(f"{folder}: is a file; name the folder that holds labels.csv and the arrays") from None
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}") from None
    return [name for name in names if not name.endswith(LENGTHS)]


def choose_modalities(folder: Path, found: Sequence[str], wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """The wanted modalities, or all that were found. Raises DataError if there is none, or a name is bad."""
    if wanted is not None:
        for name in wanted:
            if name not in found:
                others = [path for path in find_foreign(folder, found) if path.stem == name]
                raise DataError(
                    f"{folder}: there is no {name}.npy for the modality {name!r}"
                    f"{advise(others) or did_you_mean(name, found)}"
                )
        return wanted
    if not found:
        others = find_foreign(folder, found)
        raise DataError(f"{folder}: there is no <modality>.npy; expected one file per modality{advise(others)}")
    for name in found:
        try:
            check_name(name)
        except ValueError as error:
            raise DataError(
                f"{folder / name}.npy: {error}; rename the file, or list the modalities to use in the spec"
            ) from None
    for path in folder.glob(f"*{LENGTHS}.npy"):
        if path.stem.removesuffix(LENGTHS) not in found:
            raise DataError(f"{path}: there is no {path.stem.removesuffix(LENGTHS)}.npy that it could belong to")
    return tuple(found)


def open_modality(folder: Path, name: str, rows: int) -> Stored:
    """Open the files of a modality for this number of samples; reads no more than their headers.

    Raises:
        DataError: a file is not a numpy array, or has another type or shape than it must.
    """
    path, lengths_path = folder / f"{name}.npy", folder / f"{name}{LENGTHS}.npy"
    array = _open(path, REAL, "real numbers")
    if array.ndim not in (2, 3):
        advice = "; for one number per sample use array.reshape(-1, 1)" if array.ndim == 1 else ""
        raise DataError(
            f"{path}: has shape {array.shape}, expected (samples, features) or (samples, steps, features){advice}"
        )
    _check_rows(path, array, rows)
    if 0 in array.shape:
        raise DataError(
            f"{path}: has shape {array.shape}, so its samples are empty; expected at least one feature"
        )
    if not lengths_path.is_file():
        return Stored(path=path, array=array, lengths_path=lengths_path, lengths=None)
    lengths = _open(lengths_path, "iu", "integers")
    if array.ndim == 2:
        raise DataError(f"{lengths_path}: {name}.npy holds no sequences, shape {array.shape}; remove the lengths")
    if lengths.ndim != 1:
        raise DataError(f"{lengths_path}: has shape {lengths.shape}, expected one integer per sample: ({rows},)")
    _check_rows(lengths_path, lengths, rows)
    return Stored(path=path, array=array, lengths_path=lengths_path, lengths=lengths)


def _check_rows(path: Path, array: NDArray[Any], rows: int) -> None:
    if len(array) != rows:
        raise DataError(
            f"{path}: has {len(array)} rows, but labels.csv lists {rows} samples; "
            "row k of an array belongs to the k-th sample of labels.csv"
        )


def _open(path: Path, kinds: str, expected: str) -> NDArray[Any]:
    """A memory map. The header is looked at first: numpy would try to unpickle what has none, or has objects."""
    try:
        _, dtype = read_header(path)
        if dtype.kind in kinds:
            return npy.open_memmap(path, mode="r")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise DataError(
            f"{path}: is not a whole .npy file ({str(error)[:200]}); write it with numpy.save(path, array)"
        ) from None
    raise DataError(f"{path}: holds {_described(dtype)}, expected {expected}")


def _described(dtype: np.dtype[Any]) -> str:
    return "Python objects, which are never loaded" if dtype.hasobject else f"type {dtype}"


def find_present(stored: Stored) -> NDArray[np.bool_]:
    """(n,) which samples have the modality: the others have a row that is NaN throughout."""
    present = np.ones(len(stored.array), bool)
    if stored.array.dtype.kind == "f":
        for piece in pieces(stored.array):
            present[piece] = ~np.isnan(stored.array[piece]).reshape(len(present[piece]), -1).all(axis=1)
    return present


def check_values(stored: Stored, table: LabelTable, present: NDArray[np.bool_] | None = None) -> None:
    """Raise DataError, naming file and sample, for a value or a length that cannot be used.

    Args:
        stored: the modality.
        table: names the samples.
        present: (n,) which samples have it; None if all must.
    """
    array, lengths = stored.array, stored.lengths
    if array.dtype.kind == "f":
        _check_finite(stored, table, present)
    if lengths is not None:
        bad = np.flatnonzero((lengths < 0) | (lengths > array.shape[1]))
        if len(bad):
            raise DataError(
                f"{stored.lengths_path}: {table.sample(bad[0])} has length {lengths[bad[0]]}, "
                f"expected 0 to {array.shape[1]}, the number of steps in {stored.path.name}"
            )


def as_float32(array: NDArray[Any], present: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    """The whole array as float32: still in its file if that holds float32, else copied.

    Rows of samples that are not present are zeros, for which it is copied.
    """
    if array.dtype == np.float32 and present is None:
        return array
    whole = np.empty(array.shape, np.float32)
    for piece in pieces(whole):
        whole[piece] = array[piece]
    if present is not None:
        whole[~present] = 0
    return whole


def gather(whole: NDArray[np.float32], rows: Sequence[int], *, apart: bool) -> NDArray[np.float32] | Rows:
    """These rows, given in ascending order, without a copy of them.

    Args:
        whole: all rows.
        rows: which.
        apart: as positions in the whole array, even if they are together: samples with and without a label can
            then be put together again.
    """
    if rows and not apart and rows[-1] - rows[0] + 1 == len(rows):
        return np.asarray(whole[rows[0] : rows[-1] + 1])
    return Rows.of(whole, np.array(rows, np.int64))


def _check_finite(stored: Stored, table: LabelTable, present: NDArray[np.bool_] | None) -> None:
    for piece in pieces(stored.array):
        with np.errstate(over="ignore"):
            good = np.isfinite(stored.array[piece].astype(np.float32))
        if present is not None:
            good[~present[piece]] = True
        if good.all():
            continue
        row, *place = np.argwhere(~good)[0].tolist()
        value = stored.array[piece][row, *place]
        advice = "; steps after a sample's length must be finite too" if place[1:] else ""
        if np.isnan(stored.array[piece][row]).all():
            advice = f"; if samples may lack this modality, write incomplete: [{stored.path.stem}]"
        raise DataError(
            f"{stored.path}: {table.sample(piece.start + row)} holds {value} at {place}, "
            f"expected finite float32 numbers{advice}"
        )
