"""A stored data set, opened: vectors and labels in memory, sequences on disk until a model asks for them."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from alharness import DataError, Dataset, Inputs, Samples, Splits

from .checksum import read_listed
from .cleaning import describe_repairs
from .layout import IDS, LABELS, SPLITS, lengths_file, pooled_file, sequence_file, unimodal_labels_file
from .manifest import Manifest, advise, choose, read_manifest
from .npy import open_npy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_ROWS = {f"{split}/{name}" for split in SPLITS for name in (IDS, LABELS)}
"""Files that say which samples the rows are."""

UnimodalLabels = Literal["own", "copy"]


def open_stored(
    folder: Path,
    dataset: str,
    *,
    modalities: Sequence[str] | None = None,
    unimodal_labels: UnimodalLabels = "own",
    sequences: Callable[[], Path] | None = None,
) -> Dataset:
    """The data set of a folder, checked by headers and sizes; small files by their checksum.

    Args:
        folder: made by an import, or by a `Writer`.
        dataset: the name that it must have.
        modalities: those to use, in this order; all by default.
        unimodal_labels: `own` if there are any, or `copy`: every modality gets the fused label.
        sequences: called when sequences are needed; returns the folder of a whole data set that holds them, for
            a folder that holds vectors alone.

    Raises:
        DataError: the folder is not this data set, is damaged, or lacks a modality.
    """
    manifest = read_manifest(folder, dataset)
    chosen = choose(folder, manifest, modalities)
    opened = _Opened(folder, manifest, chosen, unimodal_labels)
    opened.check()
    return Dataset(
        task=manifest.task,
        content=opened.whole if sequences is None else partial(_elsewhere, sequences, opened),
        classes=manifest.classes,
        synthetic=manifest.synthetic,
        pooled_content=opened.pooled,
        stored_digest=_digest(manifest, chosen, unimodal_labels),
        remarks=(*describe_repairs(manifest), *manifest.remarks),
    )


@dataclass(frozen=True)
class _Opened:
    folder: Path
    manifest: Manifest
    modalities: tuple[str, ...]
    unimodal_labels: UnimodalLabels

    def check(self) -> None:
        """Look at the headers of all files that will be opened at some time."""
        for name, listed in self.manifest.files.items():
            if listed.dtype != "json":
                open_npy(self.folder, name, listed, self._advice)

    def whole(self) -> Splits:
        """All sequences, memory-mapped."""

        def inputs(split: str) -> Inputs:
            lengths = {m: lengths_file(split, m) for m in self.modalities}
            return Inputs(
                ids=self._ids(split),
                arrays={m: self._mapped(sequence_file(split, m)) for m in self.modalities},
                lengths={m: self._read(name) for m, name in lengths.items() if name in self.manifest.files},
                pooling={m: self.manifest.pooling[m] for m in self.modalities},
            )

        return Splits(**{split: self._samples(split, inputs(split)) for split in SPLITS})

    def pooled(self) -> Splits:
        """One vector per modality and sample, in memory."""

        def inputs(split: str) -> Inputs:
            arrays = {m: self._read(pooled_file(split, m)) for m in self.modalities}
            return Inputs(ids=self._ids(split), arrays=arrays)

        return Splits(**{split: self._samples(split, inputs(split)) for split in SPLITS})

    def _samples(self, split: str, inputs: Inputs) -> Samples:
        own = {m: unimodal_labels_file(split, m) for m in self.modalities if self.unimodal_labels == "own"}
        return Samples(
            inputs=inputs,
            labels=self._read(f"{split}/{LABELS}"),
            unimodal_labels={m: self._read(name) for m, name in own.items() if name in self.manifest.files},
        )

    def _ids(self, split: str) -> tuple[str, ...]:
        name = f"{split}/{IDS}"
        return tuple(json.loads(read_listed(self.folder, name, self._listed(name), self._advice)))

    def _read(self, name: str) -> NDArray[Any]:
        content = read_listed(self.folder, name, self._listed(name), self._advice)
        return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))

    def _mapped(self, name: str) -> NDArray[Any]:
        return open_npy(self.folder, name, self._listed(name), self._advice)

    def _listed(self, name: str) -> Any:
        if name not in self.manifest.files:
            raise DataError(f"{self.folder}: the manifest does not list {name}; {self._advice}")
        return self.manifest.files[name]

    @property
    def _advice(self) -> str:
        return advise(self.folder, self.manifest)


def _elsewhere(sequences: Callable[[], Path], vectors: _Opened) -> Splits:
    """The sequences out of another folder, which must hold the same samples."""
    folder = sequences()
    manifest = read_manifest(folder, vectors.manifest.dataset)
    if any(manifest.files.get(name) != listed for name, listed in vectors.manifest.files.items() if name in _ROWS):
        raise DataError(f"{folder}: does not hold the same samples as {vectors.folder}")
    opened = _Opened(folder, manifest, vectors.modalities, vectors.unimodal_labels)
    opened.check()
    return opened.whole()


def _digest(manifest: Manifest, modalities: tuple[str, ...], unimodal_labels: UnimodalLabels) -> str:
    content = f"{manifest.digest} {modalities} {unimodal_labels}"
    return hashlib.sha256(content.encode()).hexdigest()
