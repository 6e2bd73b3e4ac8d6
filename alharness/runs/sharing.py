"""One copy of the samples for all processes: arrays are in files, and every process maps them."""

from __future__ import annotations

import mmap
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from pickle import Unpickler
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np

from alharness.api.executor import ArrayFile
from alharness.api.rows import Rows
from alharness.api.samples import Splits
from alharness.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alharness.api.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A data set for other processes, apart from its arrays.

    Attributes:
        content: the data set, pickled, in which each array is a number.
        arrays: the files and places of these.
    """

    content: bytes = field(repr=False)
    arrays: tuple[ArrayFile, ...] = ()

    def open(self, arrays: Sequence[NDArray[Any]] | None = None) -> Dataset:
        """The data set, with these arrays, or with those of the files. Runs code of its plugin."""
        if arrays is None:
            arrays = [file.open() for file in self.arrays]
        found: Dataset = _Unpickler(self.content, arrays).load()
        return found


def share(dataset: Dataset, folder: Path) -> Shared:
    """The data set for other processes.

    Args:
        dataset: the data set; sequences that are mapped already stay in their files.
        folder: an empty folder for the others' files, which must last as long as anybody reads them.

    Raises:
        RunError: the disk is full.
    """
    parts = {name: samples.sorted() for name, samples in dataset.parts.items()}
    content = parts["all"] if "all" in parts else Splits(**parts)
    written = BytesIO()
    pickler = _Pickler(written, folder)
    digest = dataset.digest
    pickler.dump(replace(dataset, content=content, pooled_content=None, stored_digest=digest, unlabeled=None))
    return Shared(content=written.getvalue(), arrays=tuple(pickler.files))


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Writes arrays into files of their own, unless they are in one, and their numbers in their place."""

    def __init__(self, written: BytesIO, folder: Path) -> None:
        super().__init__(written)
        self._folder = folder
        self._numbers: dict[int, tuple[int, Any]] = {}  # with the thing, so that its id is not used again
        self.files: list[ArrayFile] = []

    def persistent_id(self, thing: Any) -> int | None:
        if isinstance(thing, Rows):
            if _in_file(thing.base) is not None:
                return None  # positions in an array that stays in its file
        elif not isinstance(thing, np.ndarray) or thing.dtype.hasobject or not thing.size:
            return None
        if id(thing) not in self._numbers:
            array = np.asarray(thing)  # rows are gathered once for all
            self._numbers[id(thing)] = len(self.files), thing
            self.files.append(_in_file(thing) or self._write(array))
        return self._numbers[id(thing)][0]

    def _write(self, array: NDArray[Any]) -> ArrayFile:
        path = self._folder / f"{len(self.files)}.npy"
        try:
            np.save(path, np.ascontiguousarray(array))
            written = _in_file(np.load(path, mmap_mode="r"))
        except (OSError, ValueError) as error:  # numpy may say nothing of a full disk but leave a shorter file
            reason = getattr(error, "strerror", None) or "is the disk full?"
            raise RunError(
                f"{path}: samples cannot be written for processes to share ({reason}); make room and run again: "
                "nothing finished is lost"
            ) from error
        assert written is not None
        return written


class _Unpickler(Unpickler):
    """Puts arrays where their numbers are."""

    def __init__(self, content: bytes, arrays: Sequence[NDArray[Any]]) -> None:
        super().__init__(BytesIO(content))
        self._arrays = arrays

    def persistent_load(self, number: int) -> NDArray[Any]:
        return self._arrays[number]


def _in_file(array: object) -> ArrayFile | None:
    """File and place of an array that is mapped as a whole or as a piece of a larger one.

    Not of one that is mapped copy-on-write: what was written to it is in no file.
    """
    if not isinstance(array, np.ndarray):
        return None
    owner: object = array
    while isinstance(owner, np.ndarray) and not isinstance(owner.base, mmap.mmap):
        owner = owner.base
    if not (isinstance(owner, np.memmap) and owner.mode != "c" and array.size and array.flags.c_contiguous):
        return None
    # Of a piece numpy remembers the file, but not where in it the piece begins.
    offset = owner.offset + array.ctypes.data - owner.ctypes.data
    path = str(Path(str(owner.filename)).absolute())
    return ArrayFile(path=path, offset=offset, shape=array.shape, dtype=array.dtype.str)
