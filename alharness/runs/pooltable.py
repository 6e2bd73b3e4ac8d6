"""The samples that can be chosen, as `pool.npz` in the run directory: labels, and a map in two dimensions.

Journals hold ids alone. With this a report can show which samples a sampler chose even without the data.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from alharness.api.samples import Splits
from alharness.api.vocabulary import Task
from alharness.errors import RunError

from .files import write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from alharness.api.dataset import Dataset
    from alharness.api.samples import Inputs, Samples

    Array = NDArray[Any]

NAME = "pool.npz"
ENOUGH = 2000
"""Rows from which the directions of the map are found; all are then put on it."""
AT_ONCE = 2000
OVERSAMPLED = 10
"""Directions more than the two that are wanted, which make these exact."""
OWN, KNOWN = "labels of ", "truth of "
BROKEN = (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, MemoryError, BadZipFile, zlib.error)
"""What reading a damaged archive raises; RuntimeError if it seems to be encrypted or of another method."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PoolTable:
    """What is known of n samples; of all samples of the data set if every seed draws its split.

    Attributes:
        task: of the labels.
        classes: names of the classes; empty in regression.
        ids: n of them.
        labels: (n,) class indices, or targets.
        unimodal_labels: modality -> (n,), if it has labels of its own.
        truth: name -> (n,) or (n, k), what is known of made-up data.
        places: (n, 2) on the map: the first principal components of the standardized inputs, of which every
            modality has the same share of variance. Its axes have no unit.
    """

    task: Task
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    labels: Array
    unimodal_labels: Mapping[str, Array]
    places: Array
    truth: Mapping[str, Array] = field(default_factory=dict)


def save(folder: Path, dataset: Dataset) -> None:
    """Write the table into a run directory, unless it is there."""
    if (folder / NAME).exists():
        return
    content = dataset.pooled().loaded
    samples = (content.train if isinstance(content, Splits) else content).sorted()
    _write(folder, dataset, samples)


def load(folder: Path) -> PoolTable | None:
    """Read it; None if there is none. Raises RunError if it cannot be read."""
    path = folder / NAME
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        found = PoolTable(
            task=Task(str(arrays["task"])),
            classes=tuple(map(str, arrays["classes"])),
            ids=tuple(map(str, arrays["ids"])),
            labels=arrays["labels"],
            unimodal_labels={n.removeprefix(OWN): a for n, a in arrays.items() if n.startswith(OWN)},
            places=arrays["places"],
            truth={n.removeprefix(KNOWN): a for n, a in arrays.items() if n.startswith(KNOWN)},
        )
        _require_consistent(found)
    except FileNotFoundError:
        return None
    except BROKEN as error:
        raise RunError(
            f"{path}: cannot be read ({error}); delete it and run the spec again, which writes it again"
        ) from error
    return found


def _write(folder: Path, dataset: Dataset, samples: Samples) -> None:
    arrays = {
        "task": np.array(dataset.task.value),
        "classes": np.array(dataset.classes, dtype=np.str_),
        "ids": np.array(samples.ids, dtype=np.str_),
        "labels": samples.labels,
        "places": _places(samples.inputs),
        **{OWN + modality: labels for modality, labels in samples.unimodal_labels.items()},
        **{KNOWN + name: known for name, known in samples.truth.items()},
    }
    content = BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write(folder / NAME, content.getvalue())


def _require_consistent(table: PoolTable) -> None:
    """Raise ValueError if the arrays do not belong together."""
    n = len(table.ids)
    if len(set(table.ids)) < n:
        raise ValueError("an id is there twice")
    if table.places.shape != (n, 2) or not np.isfinite(table.places).all():
        raise ValueError("places on the map are not two finite numbers for each sample")
    for name, labels in {"labels": table.labels, **table.unimodal_labels}.items():
        if labels.shape != (n,) or not np.issubdtype(labels.dtype, np.number):
            raise ValueError(f"{name}: are not one number for each sample")
    if wrong := [name for name, known in table.truth.items() if len(known) != n]:
        raise ValueError(f"truth of {wrong[0]}: is not there for each sample")
    if table.task is Task.CLASSIFICATION and not np.isin(table.labels, range(len(table.classes))).all():
        raise ValueError("a label is none of the classes")


def _places(inputs: Inputs) -> Array:
    """The first two principal components of standardized inputs, (n, 2); every modality has the same weight."""
    import torch  # a report, which only reads tables, does without

    some = np.random.default_rng(0).permutation(len(inputs))[:ENOUGH]
    known = {m: np.asarray(x[np.sort(some)], np.float64) for m, x in inputs.arrays.items()}
    scales = {
        m: (x.mean(0), np.where(x.std(0) > 0, x.std(0), 1) * math.sqrt(x.shape[1])) for m, x in known.items()
    }

    def joined(arrays: Mapping[str, Array]) -> Array:
        return np.concatenate([(x - scales[m][0]) / scales[m][1] for m, x in arrays.items()], axis=1)

    whole = torch.from_numpy(joined(known))
    number = min(2, *whole.shape)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)  # the method is a randomized one
        directions = torch.pca_lowrank(whole, min(2 + OVERSAMPLED, *whole.shape), niter=4)[2][:, :number]
    largest = directions.gather(0, directions.abs().argmax(0, keepdim=True))
    toward = (directions * largest.sign()).numpy()  # either sign would do
    center = whole.mean(0).numpy()
    places = np.zeros((len(inputs), 2), np.float32)
    for start in range(0, len(inputs), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        places[rows, :number] = (joined({m: x[rows] for m, x in inputs.arrays.items()}) - center) @ toward
    return places
