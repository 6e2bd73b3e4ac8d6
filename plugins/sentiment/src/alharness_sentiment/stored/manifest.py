"""The manifest of a stored data set: what it is, its source, and the checksum of every file. No heavy imports.

The folder holds `<split>/<name>` for each split, and the manifest.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from alharness import DataError, DatasetFacts, Task
from alharness.api.importing import shown

if TYPE_CHECKING:
    from pathlib import Path

    from alharness.api.importing import Pooling

MANIFEST = "manifest.json"
"""Written last: a folder without it is no data set."""

FORMAT: Final = 1
"""Version of the format; another one is refused."""

SPLITS = ("train", "valid", "test")

POOLING: dict[str, Pooling] = {"text": "first", "audio": "mean", "vision": "mean"}
"""How the data sets of this field make vectors of their sequences; the first step of a text is its CLS token."""

IDS = "ids.json"
LABELS = "labels.npy"


def sequence_file(split: str, modality: str) -> str:
    """The sequences, (n, t, d) float32."""
    return f"{split}/{modality}.npy"


def pooled_file(split: str, modality: str) -> str:
    """One vector per sequence, (n, d) float32."""
    return f"{split}/{modality}.pooled.npy"


def lengths_file(split: str, modality: str) -> str:
    """Valid steps per sequence, (n,) int64; without it every sequence is full."""
    return f"{split}/{modality}.lengths.npy"


def unimodal_labels_file(split: str, modality: str) -> str:
    """Labels of one modality alone, (n,)."""
    return f"{split}/labels.{modality}.npy"


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


def _check_version(folder: Path, dataset: str, content: bytes) -> None:
    found = json.loads(content)
    version = found.get("format") if isinstance(found, dict) else None
    if isinstance(version, int) and version != FORMAT:
        raise DataError(
            f"{folder}: is in format {version}, and this version of alharness reads format {FORMAT}; "
            f"{import_again(folder, dataset)}"
        )
