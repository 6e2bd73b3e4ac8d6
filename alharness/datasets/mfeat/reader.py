"""The converted files as a data set."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.dataset import Dataset
from alharness.api.samples import Inputs, Samples
from alharness.api.vocabulary import Task
from alharness.errors import DataError

from .facts import CLASSES, LABELS, SAMPLES, VIEWS
from .manifest import again, read_listed, read_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def load(folder: Path) -> Dataset:
    """All samples; the rows are sorted by class, so every seed has to draw its split.

    Raises:
        DataError: the folder was not made by the import, or was damaged since.
    """
    shapes = {f"{view.name}.npy": (SAMPLES, view.size) for view in VIEWS} | {LABELS: (SAMPLES,)}
    listed = read_manifest(folder, shapes)
    arrays = {name: _read(folder, name, listed[name], shape) for name, shape in shapes.items()}
    inputs = Inputs(
        ids=tuple(f"mfeat-{row:04}" for row in range(SAMPLES)),
        arrays={view.name: arrays[f"{view.name}.npy"] for view in VIEWS},
    )
    samples = Samples(inputs=inputs, labels=arrays[LABELS])
    return Dataset(task=Task.CLASSIFICATION, content=samples, classes=CLASSES)


def _read(folder: Path, name: str, sha256: str, shape: tuple[int, ...]) -> NDArray[Any]:
    content = read_listed(folder, name, sha256)
    try:
        array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError):
        raise DataError(f"{folder / name}: is not a numpy array; {again(folder)}") from None
    if array.shape != shape:
        raise DataError(f"{folder / name}: has shape {array.shape}, expected {shape}; {again(folder)}")
    return array
