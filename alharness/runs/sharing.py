"""One copy of the samples for all processes: arrays are in files, and every process maps them."""

from __future__ import annotations

import mmap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.rows import Rows
from alharness.api.samples import Inputs, Samples, Splits
from alharness.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from alharness.api.dataset import Content, Dataset
    from alharness.api.importing import Pooling


def share(dataset: Dataset, folder: Path) -> Dataset:
    """The same data set, to be sent to other processes: it holds no samples, but knows their files.

    Args:
        dataset: the data set; sequences that are mapped already stay in their files.
        folder: an empty folder for the others' files, which must last as long as anybody reads them.
    """
    files = (folder / f"{number}.npy" for number in range(10**9))
    parts = {name: _placed(samples.sorted(), files) for name, samples in dataset.parts.items()}
    return replace(dataset, content=_Mapped(parts), pooled_content=None, stored_digest=dataset.digest)


@dataclass(frozen=True, kw_only=True)
class _Array:
    """A file of numbers.

    Attributes:
        path: the file; None for an array without numbers, which cannot be mapped.
        offset: where in it they begin, in bytes.
        rows: positions of those that are meant; None for all.
    """

    path: str | None
    offset: int
    shape: tuple[int, ...]
    dtype: str
    rows: NDArray[np.int64] | None = None

    def open(self) -> Any:
        """An array, or `Rows` of one."""
        if self.path is None:
            return np.empty(self.shape, self.dtype)
        # Copy on write: torch takes it as it is, all processes read one copy, and none writes to the file.
        whole = np.memmap(self.path, self.dtype, mode="c", offset=self.offset, shape=self.shape)
        return whole if self.rows is None else Rows.of(whole, self.rows)


@dataclass(frozen=True, kw_only=True)
class _Samples:
    ids: tuple[str, ...]
    arrays: Mapping[str, _Array]
    lengths: Mapping[str, _Array]
    pooling: Mapping[str, Pooling]
    labels: _Array
    unimodal_labels: Mapping[str, _Array]

    def open(self) -> Samples:
        return Samples(
            inputs=Inputs(
                ids=self.ids, arrays=_opened(self.arrays), lengths=_opened(self.lengths), pooling=self.pooling
            ),
            labels=self.labels.open(),
            unimodal_labels=_opened(self.unimodal_labels),
        )


@dataclass(frozen=True)
class _Mapped:
    """The content of a data set, opened in the process that calls it."""

    parts: Mapping[str, _Samples]

    def __call__(self) -> Content:
        opened = {name: part.open() for name, part in self.parts.items()}
        return opened["all"] if "all" in opened else Splits(**opened)


def _opened(arrays: Mapping[str, _Array]) -> dict[str, Any]:
    return {name: array.open() for name, array in arrays.items()}


def _placed(samples: Samples, files: Iterable[Path]) -> _Samples:
    inputs, paths = samples.inputs, iter(files)
    return _Samples(
        ids=inputs.ids,
        arrays={name: _place(array, paths) for name, array in inputs.arrays.items()},
        lengths={name: _place(array, paths) for name, array in inputs.lengths.items()},
        pooling=inputs.pooling,
        labels=_place(samples.labels, paths),
        unimodal_labels={name: _place(array, paths) for name, array in samples.unimodal_labels.items()},
    )


def _place(array: NDArray[Any] | Rows, paths: Iterable[Path]) -> _Array:
    whole, rows = (array.base, array.positions) if isinstance(array, Rows) else (array, None)
    if known := _in_file(whole):
        return replace(known, rows=rows)
    array = np.asarray(array)
    if not array.size:
        return _Array(path=None, offset=0, shape=array.shape, dtype=array.dtype.str)
    new = next(iter(paths))
    try:
        np.save(new, np.ascontiguousarray(array))
        written = _in_file(np.load(new, mmap_mode="r"))
    except (OSError, ValueError) as error:  # numpy may say nothing of a full disk but leave a shorter file
        reason = getattr(error, "strerror", None) or "is the disk full?"
        raise RunError(
            f"{new}: samples cannot be written for processes to share ({reason}); make room and run again: "
            "nothing finished is lost"
        ) from error
    assert written is not None
    return written


def _in_file(array: NDArray[Any]) -> _Array | None:
    """File and offset of an array that is mapped already, as a whole or as one piece of a larger one.

    Not of one that is mapped copy-on-write: what was written to it is in no file.
    """
    owner: object = array
    while isinstance(owner, np.ndarray) and not isinstance(owner.base, mmap.mmap):
        owner = owner.base
    if not (isinstance(owner, np.memmap) and owner.mode != "c" and array.size and array.flags.c_contiguous):
        return None
    return _Array(
        path=str(Path(str(owner.filename)).absolute()),
        # Of a piece numpy remembers the file, but not where in it the piece begins.
        offset=owner.offset + array.ctypes.data - owner.ctypes.data,
        shape=array.shape,
        dtype=array.dtype.str,
    )
