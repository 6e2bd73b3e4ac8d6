"""Writes a stored data set, split by split and block by block."""

from __future__ import annotations

import hashlib
import io
import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from alharness import DataError
from alharness.api.importing import Pooling, pool

from .manifest import (
    IDS,
    LABELS,
    SPLITS,
    Manifest,
    StoredFile,
    lengths_file,
    pooled_file,
    sequence_file,
    unimodal_labels_file,
    write_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    Array = NDArray[Any]


class Writer:
    """Fills an empty folder; it is a data set after `finish`.

    Rows of every array are in the order of the ids, which are sorted. Values are not checked for
    being finite: corrections come before.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, StoredFile] = {}
        self._sizes: dict[str, int] = {}
        self._pooling: dict[str, Pooling] = {}

    def ids(self, split: str, ids: Sequence[str]) -> None:
        """Begin a split: its ids, distinct and sorted."""
        if list(ids) != sorted(set(ids)):
            raise DataError(f"{split}: ids must be sorted and distinct")
        (self._folder / split).mkdir()
        content = (json.dumps(list(ids), ensure_ascii=False) + "\n").encode()
        name = f"{split}/{IDS}"
        with (self._folder / name).open("xb") as file:
            file.write(content)
            settle(file.fileno())
        self._files[name] = StoredFile(
            shape=(len(ids),), dtype="json", bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
        )
        self._sizes[split] = len(ids)

    def sequence(
        self,
        split: str,
        modality: str,
        blocks: Iterable[Array],
        *,
        shape: tuple[int, int, int],
        lengths: Array | None = None,
        pooling: Pooling = "mean",
        store_full: bool = True,
    ) -> None:
        """The sequences of a modality, and the vectors that they are pooled to.

        Args:
            split: train, valid or test.
            modality: its name.
            blocks: (rows, t, d) real numbers, following each other.
            shape: (n, t, d) of the whole.
            lengths: (n,) valid steps, 1 to t; None if all are. Those of a block are read after
                the block, so that making it may fill them in.
            pooling: how a sequence becomes a vector.
            store_full: keep the lengths even if every sequence turns out to be full.
        """
        pooled = np.empty((shape[0], shape[2]), np.float32)

        def passing() -> Iterator[Array]:
            start = 0
            for block in blocks:
                rows = slice(start, start + len(block))
                single = block.astype(np.float32, copy=False)
                pooled[rows] = pool(single, None if lengths is None else lengths[rows], pooling)
                start = rows.stop
                yield single

        self._write(sequence_file(split, modality), passing(), shape, np.float32)
        self.vectors(split, modality, pooled, pooling=pooling)
        if lengths is not None and (store_full or (lengths < shape[1]).any()):
            self._array(lengths_file(split, modality), lengths, np.int64)

    def vectors(self, split: str, modality: str, vectors: Array, *, pooling: Pooling = "mean") -> None:
        """The pooled vectors of a modality alone, (n, d), if its sequences are not stored in this folder."""
        assert self._pooling.setdefault(modality, pooling) == pooling
        self._array(pooled_file(split, modality), vectors, np.float32)

    def labels(self, split: str, labels: Array, unimodal: Mapping[str, Array] | None = None) -> None:
        """(n,) labels: int64 class indices or float32 targets; `unimodal`: modality -> its own."""
        kind = np.int64 if labels.dtype.kind in "iu" else np.float32
        self._array(f"{split}/{LABELS}", labels, kind)
        for modality, own in (unimodal or {}).items():
            self._array(unimodal_labels_file(split, modality), own, kind)

    def extra(self, split: str, name: str, array: Array) -> None:
        """An array that is kept and is no modality."""
        self._array(f"{split}/{name}.npy", array, array.dtype)

    def finish(self, *, modalities: Sequence[str], **about: Any) -> Manifest:
        """Write the manifest and return it; `about` are the other fields of `Manifest`."""
        train, valid, test = (self._sizes[split] for split in SPLITS)
        manifest = Manifest(
            modalities=tuple(modalities),
            pooling={modality: self._pooling[modality] for modality in modalities},
            sizes=(train, valid, test),
            files=self._files,
            **about,
        )
        write_manifest(self._folder, manifest)
        return manifest

    def _array(self, name: str, array: Array, dtype: Any) -> None:
        self._write(name, [array], array.shape, dtype)

    def _write(self, name: str, blocks: Iterable[Array], shape: tuple[int, ...], dtype: Any) -> None:
        assert shape[0] == self._sizes[name.partition("/")[0]]
        self._files[name] = write_npy(self._folder / name, blocks, shape=shape, dtype=dtype)


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


def settle(descriptor: int) -> None:
    """Have the file on the disk, so that a manifest that names it never outlives it."""
    os.fsync(descriptor)
