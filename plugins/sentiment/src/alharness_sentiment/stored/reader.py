"""A stored data set, opened: vectors and labels in memory, sequences on disk until a model asks for them.

No heavy imports: quick commands ask for what is known without reading numbers.
"""

from __future__ import annotations

import hashlib
import io
import json
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from alharness import DataError, Dataset, Inputs, Samples, Splits
from alharness.api.importing import did_you_mean, read_header

from .importing import describe_repairs, file_digest, progress
from .manifest import (
    IDS,
    LABELS,
    MANIFEST,
    SPLITS,
    Manifest,
    StoredFile,
    import_again,
    lengths_file,
    pooled_file,
    read_manifest,
    sequence_file,
    unimodal_labels_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy as np

    Array = np.ndarray[Any, Any]

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
    stored = StoredFolder.open(folder, dataset)
    manifest, chosen = stored.manifest, stored.choose(modalities)
    stored.check_headers()
    asked = f"{manifest.digest} {chosen} {unimodal_labels}"

    def content() -> Splits:
        source = stored if sequences is None else _same_samples(stored, sequences())
        return source.splits(chosen, unimodal_labels, source.sequences)

    return Dataset(
        task=manifest.task,
        content=content,
        classes=manifest.classes,
        synthetic=manifest.synthetic,
        pooled_content=partial(stored.splits, chosen, unimodal_labels, stored.vectors),
        stored_digest=hashlib.sha256(asked.encode()).hexdigest(),
        remarks=(*describe_repairs(manifest), *manifest.remarks),
    )


def _same_samples(stored: StoredFolder, path: Path) -> StoredFolder:
    """The folder with the sequences of the samples that are stored."""
    found = StoredFolder.open(path, stored.manifest.dataset)
    rows = [f"{split}/{name}" for split in SPLITS for name in (IDS, LABELS)]
    if any(found.manifest.files.get(name) != stored.manifest.files.get(name) for name in rows):
        raise DataError(f"{path}: does not hold the same samples as {stored.path}")
    found.check_headers()
    return found


@dataclass(frozen=True)
class StoredFolder:
    """A stored data set on disk. Errors name the file and say how to have the data set made again.

    Attributes:
        path: the folder.
        manifest: what it must hold.
    """

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path, dataset: str) -> StoredFolder:
        """The folder of this data set. Raises DataError if it holds another one or none."""
        return cls(path, read_manifest(path, dataset))

    def choose(self, wanted: Sequence[str] | None) -> tuple[str, ...]:
        """The wanted modalities; all if none are named. Raises DataError if there is no such modality."""
        held = self.manifest.modalities
        for name in wanted or ():
            if name not in held:
                raise DataError(
                    f"{self.path}: has no modality {name!r}{did_you_mean(name, held)}; it has {', '.join(held)}"
                )
        return held if wanted is None else tuple(wanted)

    def check_sizes(self) -> None:
        """Raise DataError if a listed file is missing, or has another size: all that shows without reading it."""
        for name, listed in self.manifest.files.items():
            with self._reading(name):
                size = (self.path / name).stat().st_size
            if size != listed.bytes:
                raise self._error(name, f"has {size:,} bytes, expected {listed.bytes:,}")

    def check_headers(self) -> None:
        """Raise DataError if an array is missing, is cut, or has another shape or type than is listed."""
        for name, listed in self.manifest.files.items():
            if listed.dtype != "json":
                self._map(name)

    def verify(self) -> list[str]:
        """Read all files; a line that says how many there were. Raises DataError for the first that is damaged."""
        files = self.manifest.files
        total = sum(listed.bytes for listed in files.values())
        with progress("verifying", total) as advance:
            for name in files:
                with self._reading(name):
                    digest = file_digest(self.path / name, advance)
                self._check(name, digest)
        return [f"{self.path}: all {len(files)} files ({total:,} bytes) are as they were written"]

    def splits(
        self, modalities: tuple[str, ...], unimodal_labels: UnimodalLabels, inputs: Callable[..., Inputs]
    ) -> Splits:
        """The samples with these inputs: `sequences` or `vectors`. Raises DataError if a file is damaged."""

        def samples(split: str) -> Samples:
            own = {m: unimodal_labels_file(split, m) for m in modalities if unimodal_labels == "own"}
            return Samples(
                inputs=inputs(split, modalities),
                labels=self._array(f"{split}/{LABELS}"),
                unimodal_labels={m: self._array(name) for m, name in own.items() if name in self.manifest.files},
            )

        return Splits(**{split: samples(split) for split in SPLITS})

    def sequences(self, split: str, modalities: tuple[str, ...]) -> Inputs:
        """All sequences of a split, memory-mapped."""
        lengths = {m: lengths_file(split, m) for m in modalities}
        return Inputs(
            ids=self._ids(split),
            arrays={m: self._map(sequence_file(split, m)) for m in modalities},
            lengths={m: self._array(name) for m, name in lengths.items() if name in self.manifest.files},
            pooling={m: self.manifest.pooling[m] for m in modalities},
        )

    def vectors(self, split: str, modalities: tuple[str, ...]) -> Inputs:
        """One vector per modality and sample of a split, in memory."""
        return Inputs(ids=self._ids(split), arrays={m: self._array(pooled_file(split, m)) for m in modalities})

    def _ids(self, split: str) -> tuple[str, ...]:
        return tuple(json.loads(self._read(f"{split}/{IDS}")))

    def _array(self, name: str) -> Array:
        import numpy as np

        return np.asarray(np.load(io.BytesIO(self._read(name)), allow_pickle=False))

    def _read(self, name: str) -> bytes:
        """Content of a listed file, which must be what was written."""
        self._listed(name)
        with self._reading(name):
            content = (self.path / name).read_bytes()
        self._check(name, hashlib.sha256(content).hexdigest())
        return content

    def _map(self, name: str) -> Array:
        """A memory map of a listed file; looks at its header and its size alone."""
        import numpy as np
        from numpy.lib import format as npy

        path, listed = self.path / name, self._listed(name)
        with self._reading(name):
            size, (shape, dtype) = path.stat().st_size, read_header(path)
        if shape != listed.shape or dtype.str != listed.dtype:
            expected = f"{np.dtype(listed.dtype)} of shape {listed.shape}"
            raise self._error(name, f"holds {dtype} of shape {shape}, expected {expected}")
        if size != listed.bytes:
            raise self._error(name, f"has {size:,} bytes, expected {listed.bytes:,}")
        return npy.open_memmap(path, mode="r")

    def _listed(self, name: str) -> StoredFile:
        if name not in self.manifest.files:
            raise self._error("", f"the manifest does not list {name}")
        return self.manifest.files[name]

    def _check(self, name: str, digest: str) -> None:
        if digest != self.manifest.files[name].sha256:
            raise self._error(name, f"damaged (its sha256 is not the one in {MANIFEST})")

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._error(name, f"cannot be read: {error.strerror}") from None
        except ValueError:
            raise self._error(name, "is not a whole .npy file") from None

    def _error(self, name: str, words: str) -> DataError:
        advice = (
            f"remove {self.path}, and it is made again when it is needed"
            if self.manifest.synthetic
            else import_again(self.path, self.manifest.dataset)
        )
        return DataError(f"{self.path / name}: {words}; {advice}")
