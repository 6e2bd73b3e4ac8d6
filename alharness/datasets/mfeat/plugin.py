"""`mfeat`: its registration, and the reader of the folder that its import makes. No heavy imports."""

from __future__ import annotations

import io
import json
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from alharness.api.dataset import Dataset, DatasetFacts, DatasetPlugin, split_sizes
from alharness.api.hooks import hookimpl
from alharness.api.params import Params, SpecPath
from alharness.api.vocabulary import Task
from alharness.errors import DataError

from .facts import CITATION, CLASSES, LABELS, LICENSE, MANIFEST, PAPER, SAMPLES, VIEWS, digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SHAPES = {f"{view.name}.npy": (SAMPLES, view.size) for view in VIEWS} | {LABELS: (SAMPLES,)}
"""File -> shape of its array."""


class MfeatParams(Params):
    """Parameters of `mfeat`."""

    path: SpecPath
    """Folder that `alharness data import mfeat` made; a relative path starts at the spec file's folder."""


def inspect(params: MfeatParams) -> DatasetFacts:
    """What is known without loading. Raises DataError if the data was not imported, or a file is missing."""
    from alharness.api.importing import readable

    folder = readable(params.path)
    _read_manifest(folder)
    for name in SHAPES:
        with _reading(folder, name):
            (folder / name).stat()
    modalities = tuple(view.name for view in VIEWS)
    return DatasetFacts(task=Task.CLASSIFICATION, modalities=modalities, sizes=split_sizes(SAMPLES))


def load(params: MfeatParams) -> Dataset:
    """All samples; the rows are sorted by class, so every seed has to draw its split.

    Raises:
        DataError: the folder was not made by the import, or was damaged since.
    """
    from alharness.api.importing import readable
    from alharness.api.samples import Inputs, Samples

    folder = readable(params.path)
    arrays = {name: _read(folder, name, sha256) for name, sha256 in _read_manifest(folder).items()}
    inputs = Inputs(
        ids=tuple(f"mfeat-{row:04}" for row in range(SAMPLES)),
        arrays={view.name: arrays[f"{view.name}.npy"] for view in VIEWS},
    )
    samples = Samples(inputs=inputs, labels=arrays[LABELS])
    return Dataset(task=Task.CLASSIFICATION, content=samples, classes=CLASSES)


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
            make=load,
            fetch=fetch,
            summary="2000 real handwritten numerals as Fourier, Zernike and morphological features",
            reference=f"{CITATION}. {PAPER}",
            license=LICENSE,
        )
    ]


def _read_manifest(folder: Path) -> dict[str, str]:
    """File name -> sha256. Raises DataError if the folder is no converted data set."""
    path = folder / MANIFEST
    try:
        if not folder.exists():
            raise DataError(f"{folder}: not found; make it once with: {_command(folder)}")
        files = json.loads(path.read_bytes())["sha256"]
        return {name: str(files[name]) for name in SHAPES}
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(
            f"{folder}: is not a converted data set (it has no {MANIFEST}); "
            "make one with: alharness data import mfeat SOURCE --out FOLDER, and name that folder"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _error(folder, MANIFEST, "damaged") from None


def _read(folder: Path, name: str, sha256: str) -> NDArray[Any]:
    """The array of a listed file. Raises DataError if it is not what the manifest says."""
    import numpy as np

    with _reading(folder, name):
        content = (folder / name).read_bytes()
    if digest(content) != sha256:
        raise _error(folder, name, f"damaged (its sha256 is not the one in {MANIFEST})")
    try:
        array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError):
        raise _error(folder, name, "is not a numpy array") from None
    if array.shape != SHAPES[name]:
        raise _error(folder, name, f"has shape {array.shape}, expected {SHAPES[name]}")
    return array


@contextmanager
def _reading(folder: Path, name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _error(folder, name, f"cannot be read: {error.strerror}") from None


def _error(folder: Path, name: str, words: str) -> DataError:
    return DataError(f"{folder / name}: {words}; make the data set again with: {_command(folder, force=True)}")


def _command(folder: Path, *, force: bool = False) -> str:
    """The command that makes this folder."""
    flag = "--force " if force else ""
    return f"alharness data import mfeat --download {flag}--out {shlex.quote(str(folder))}"
