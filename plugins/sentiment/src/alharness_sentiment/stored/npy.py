""".npy files: written in blocks with their checksum, and opened only if they are what the manifest says."""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from alharness import DataError
from alharness.api.importing import read_header

from .manifest import StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray


def write_npy(
    path: Path, blocks: Iterable[NDArray[Any]], *, shape: tuple[int, ...], dtype: DTypeLike
) -> StoredFile:
    """Write an array whose rows come in blocks; no more than a block is in memory.

    Args:
        path: a file that does not exist yet.
        blocks: arrays (rows, ...) that follow each other; together they have the shape.
        shape: of the whole array.
        dtype: of the file; blocks are converted.
    """
    kind = np.dtype(dtype).newbyteorder("<")
    header = io.BytesIO()
    fields = {"descr": npy.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(header, fields)
    rows = 0
    with path.open("xb") as file:
        sha = hashlib.sha256(header.getvalue())
        file.write(header.getvalue())
        for block in blocks:
            assert block.shape[1:] == shape[1:]
            data = np.ascontiguousarray(block, kind).reshape(-1).view(np.uint8).data
            sha.update(data)
            file.write(data)
            rows += len(block)
        assert rows == shape[0]
        settle(file.fileno())
        size = file.tell()
    return StoredFile(shape=shape, dtype=kind.str, bytes=size, sha256=sha.hexdigest())


def open_npy(folder: Path, name: str, listed: StoredFile, advice: str) -> NDArray[Any]:
    """A memory map of a listed file; looks at its header and its size alone. Raises DataError."""
    path = folder / name
    try:
        size, (shape, dtype) = path.stat().st_size, read_header(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; {advice}") from None
    except Exception:  # noqa: BLE001 numpy raises many kinds for a malformed header
        raise DataError(f"{path}: is not a whole .npy file; {advice}") from None
    if shape != listed.shape or dtype.str != listed.dtype:
        raise DataError(
            f"{path}: holds {dtype} of shape {shape}, expected {np.dtype(listed.dtype)} of shape {listed.shape}; "
            f"{advice}"
        )
    if size != listed.bytes:
        raise DataError(f"{path}: has {size:,} bytes, expected {listed.bytes:,}; {advice}")
    return npy.open_memmap(path, mode="r")


def settle(descriptor: int) -> None:
    """Have the file on the disk, so that a manifest that names it never outlives it."""
    os.fsync(descriptor)
