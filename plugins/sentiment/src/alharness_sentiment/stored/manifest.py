"""The manifest of a stored data set: what it is, its source, and the checksum of every file. No heavy imports."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from alharness import (
    DataError,
    DatasetFacts,
    Task,
)
from alharness.api.importing import did_you_mean, shown

from .layout import FORMAT, MANIFEST, SPLITS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # built as parts of the manifest


class StoredFile(_Record):
    """A file as it was written.

    Attributes:
        shape: of the array; for a list, its length.
        dtype: numpy's name of the type, as in a .npy header; `json` for a list.
        bytes: size of the whole file.
        sha256: of the whole file.
    """

    shape: tuple[int, ...]
    dtype: str
    bytes: int
    sha256: str


class Source(_Record):
    """The file that was imported; without one the data set was not made from a single file."""

    name: str
    bytes: int
    sha256: str


class Repairs(_Record):
    """How many values, or sequences, of a modality and a split were corrected.

    Attributes:
        nan: values that were not a number, now 0.
        inf: values that were infinite, or too large for float32, now 0.
        empty: sequences of length 0, now 1.
        cut: sequences longer than the array has steps, now as long as it has.
    """

    nan: int = 0
    inf: int = 0
    empty: int = 0
    cut: int = 0


class Manifest(_Record):
    """A whole data set.

    Attributes:
        format: version of the format.
        dataset: its name in a spec.
        synthetic: made-up data.
        task: classification or regression.
        classes: names of the classes; empty for regression.
        modalities: their names, in order.
        pooling: modality -> how its vectors came from its sequences.
        sizes: samples in train, valid and test.
        source: what it was made from.
        repairs: split -> modality -> what was corrected.
        remarks: what else there is to know, a sentence each.
        files: name -> file.
    """

    format: Literal[1] = FORMAT
    dataset: str
    synthetic: bool
    task: Task
    classes: tuple[str, ...] = ()
    modalities: tuple[str, ...]
    pooling: dict[str, Literal["mean", "first"]]
    sizes: tuple[int, int, int]
    source: Source | None = None
    repairs: dict[str, dict[str, Repairs]] = {}
    remarks: tuple[str, ...] = ()
    files: dict[str, StoredFile]

    @property
    def facts(self) -> DatasetFacts:
        """What is known without opening another file."""
        return DatasetFacts(task=self.task, modalities=self.modalities, sizes=self.sizes, synthetic=self.synthetic)

    @property
    def digest(self) -> str:
        """sha256 over everything that a run can depend on; not over the source of the data."""
        content = self.model_dump(mode="json", exclude={"source", "repairs", "remarks"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def count(self, split: str) -> int:
        """Number of samples in a split."""
        return self.sizes[SPLITS.index(split)]


def read_manifest(folder: Path, dataset: str) -> Manifest:
    """The manifest of a folder that must hold this data set.

    Raises:
        DataError: it is no stored data set, another one, or damaged.
    """
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(
            f"{folder}: is not a converted data set (it has no {MANIFEST}); "
            f"make one with: {import_command(dataset)} --out FOLDER, and name that folder"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        _check_version(folder, dataset, content)
        manifest = Manifest.model_validate_json(content)
    except (ValidationError, ValueError, RecursionError):
        raise DataError(f"{path}: damaged; {import_again(folder, dataset)}") from None
    if manifest.dataset != dataset:
        raise DataError(
            f"{folder}: holds the data set {shown(manifest.dataset)}, not {dataset!r}; name its folder"
        )
    return manifest


def choose(folder: Path, manifest: Manifest, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The wanted modalities; all if none are named. Raises DataError if there is no such modality."""
    for name in wanted or ():
        if name not in manifest.modalities:
            raise DataError(
                f"{folder}: has no modality {name!r}{did_you_mean(name, manifest.modalities)}; "
                f"it has {', '.join(manifest.modalities)}"
            )
    return manifest.modalities if wanted is None else tuple(wanted)


def require_files(folder: Path, manifest: Manifest) -> None:
    """Raise DataError if a listed file is missing, or has another size: all that is known without reading it."""
    for name, listed in manifest.files.items():
        path, advice = folder / name, advise(folder, manifest)
        try:
            size = path.stat().st_size
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}; {advice}") from None
        if size != listed.bytes:
            raise DataError(f"{path}: has {size:,} bytes, expected {listed.bytes:,}; {advice}")


def inspect_folder(folder: Path, dataset: str, modalities: tuple[str, ...] | None) -> DatasetFacts:
    """What is known of a stored data set without reading its numbers.

    Args:
        folder: the folder that it is stored in.
        dataset: its name.
        modalities: those that are wanted; None for all.

    Raises:
        DataError: the manifest or a file of it is missing, or the data set has no such modality.
    """
    manifest = read_manifest(folder, dataset)
    choose(folder, manifest, modalities)
    require_files(folder, manifest)
    facts = manifest.facts
    return facts if modalities is None else replace(facts, modalities=modalities)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest; the last thing that makes a folder a data set."""
    text = json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def import_command(dataset: str) -> str:
    """The command that converts the upstream file."""
    return f"alharness data import {dataset} SOURCE"


def import_again(folder: Path, dataset: str) -> str:
    """The advice for a damaged folder."""
    return f"make the data set again with: {import_command(dataset)} --force --out {shlex.quote(str(folder))}"


def advise(folder: Path, manifest: Manifest) -> str:
    """The same, if it is known whether the data was imported or synthetic."""
    if manifest.synthetic:
        return f"remove {folder}, and it is made again when it is needed"
    return import_again(folder, manifest.dataset)


def _check_version(folder: Path, dataset: str, content: bytes) -> None:
    found = json.loads(content)
    version = found.get("format") if isinstance(found, dict) else None
    if isinstance(version, int) and version != FORMAT:
        raise DataError(
            f"{folder}: is in format {version}, and this version of alharness reads format {FORMAT}; "
            f"{import_again(folder, dataset)}"
        )
