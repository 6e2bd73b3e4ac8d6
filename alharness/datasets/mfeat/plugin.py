"""Registration of `mfeat`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.api.dataset import DatasetFacts, DatasetPlugin, split_sizes
from alharness.api.hooks import hookimpl
from alharness.api.importing import readable
from alharness.api.params import Params, SpecPath
from alharness.api.vocabulary import Task

from .facts import CITATION, LABELS, LICENSE, PAPER, SAMPLES, VIEWS

if TYPE_CHECKING:
    from pathlib import Path

    from alharness.api.dataset import Dataset


class MfeatParams(Params):
    """Parameters of `mfeat`."""

    path: SpecPath
    """Folder that `alharness data import mfeat` made; a relative path starts at the spec file's folder."""


def inspect(params: MfeatParams) -> DatasetFacts:
    """What is known without loading. Raises DataError if the data was not imported."""
    from .manifest import read_manifest, require_files

    folder = readable(params.path)
    require_files(folder, read_manifest(folder, [LABELS, *(f"{view.name}.npy" for view in VIEWS)]))
    modalities = tuple(view.name for view in VIEWS)
    return DatasetFacts(task=Task.CLASSIFICATION, modalities=modalities, sizes=split_sizes(SAMPLES))


def make(params: MfeatParams) -> Dataset:
    """The imported data."""
    from .reader import load

    return load(readable(params.path))


def fetch(source: Path | None, folder: Path) -> list[str]:
    """Convert the published files."""
    from .importer import convert

    return convert(source, folder)


@hookimpl
def alharness_datasets() -> list[DatasetPlugin]:
    """Offer `mfeat`."""
    return [
        DatasetPlugin(
            name="mfeat",
            params=MfeatParams,
            inspect=inspect,
            make=make,
            fetch=fetch,
            summary="2000 real handwritten numerals as Fourier, Zernike and morphological features",
            reference=f"{CITATION}. {PAPER}",
            license=LICENSE,
        )
    ]
