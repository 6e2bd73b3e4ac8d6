"""One copy of the samples for all processes: arrays are in files, and every process maps them."""

from __future__ import annotations

import mmap
from dataclasses import replace
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np

from alharness.api.rows import Rows
from alharness.api.samples import Splits
from alharness.errors import RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alharness.api.dataset import Dataset


def share(dataset: Dataset, folder: Path) -> bytes:
    """The data set as bytes that `pickle.loads` reads in other processes: without numbers, but with their files.

    Args:
        dataset: the data set; sequences that are mapped already stay in their files.
        folder: an empty folder for the others' files, which must last as long as anybody reads them.

    Raises:
        RunError: the disk is full.
    """
    parts = {name: samples.sorted() for name, samples in dataset.parts.items()}
    content = parts["all"] if "all" in parts else Splits(**parts)
    written = BytesIO()
    shared = replace(dataset, content=content, pooled_content=None, stored_digest=dataset.digest)
    _Pickler(written, folder).dump(shared)
    return written.getvalue()


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Writes arrays into files of their own, unless they are in one."""

    def __init__(self, written: BytesIO, folder: Path) -> None:
        super().__init__(written)
        self._paths = (folder / f"{number}.npy" for number in count())

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, Rows) and _in_file(thing.base) is None:
            thing = np.asarray(thing)  # gathered once for all
        if not isinstance(thing, np.ndarray) or thing.dtype.hasobject:
            return super().reducer_override(thing)
        if not thing.size:
            return np.empty, (thing.shape, thing.dtype)  # nothing that could be mapped
        return _open, _in_file(thing) or self._write(thing)

    def _write(self, array: NDArray[Any]) -> tuple[Any, ...]:
        path = next(self._paths)
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


def _open(path: str, offset: int, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    # Copy on write: torch takes it as it is, all processes read one copy, and none writes to the file.
    return np.memmap(path, dtype, mode="c", offset=offset, shape=shape)


def _in_file(array: NDArray[Any]) -> tuple[str, int, tuple[int, ...], str] | None:
    """File, offset in bytes, shape and type of an array that is mapped as a whole or as a piece of a larger one.

    Not of one that is mapped copy-on-write: what was written to it is in no file.
    """
    owner: object = array
    while isinstance(owner, np.ndarray) and not isinstance(owner.base, mmap.mmap):
        owner = owner.base
    if not (isinstance(owner, np.memmap) and owner.mode != "c" and array.size and array.flags.c_contiguous):
        return None
    # Of a piece numpy remembers the file, but not where in it the piece begins.
    offset = owner.offset + array.ctypes.data - owner.ctypes.data
    return str(Path(str(owner.filename)).absolute()), offset, array.shape, array.dtype.str
