"""What a data set plugin made, looked at once before a run: types, shapes, numbers, labels, classes, splits."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.dataset import Dataset
from alharness.api.rows import PIECE, Rows, pieces
from alharness.api.samples import Inputs, Samples, Splits
from alharness.api.vocabulary import Task
from alharness.errors import DataError

from .metrics import try_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Array = np.ndarray[Any, Any]

POOL = ("train", "all")
"""Parts that labels are bought from."""


def require_sound(dataset: Any, warn: Callable[[str], None]) -> None:
    """Look at everything that a run reads of a data set; inputs that are known by their checksums were looked at.

    Args:
        dataset: as the model wants it: pooled, or with its sequences.
        warn: gets what is unusual, and not certainly a mistake.

    Raises:
        DataError: it breaks the contract; says what it gave, what was expected, and what to do.
    """
    if not isinstance(dataset, Dataset):
        raise DataError(f"it made {type(dataset).__name__}, expected a Dataset")
    _require_attributes(dataset)
    content = dataset.loaded
    if not isinstance(content, Samples | Splits):
        raise DataError(f"its content is {type(content).__name__}, expected Samples or Splits")
    parts = dataset.parts
    for name, samples in parts.items():
        if not isinstance(samples, Samples):
            raise DataError(f"{name} is {type(samples).__name__}, expected Samples")
        _require_inputs(name, samples.inputs, look_at_numbers=not dataset.stored_digest)
        _require_labels(name, samples, dataset)
        _require_truth(name, samples, dataset)
    _require_sizes(parts)
    _require_unlabeled(dataset)
    _require_alike(parts)
    _require_disjoint(parts)
    try_out(dataset.measured_by, next(reversed(parts.values())).labels, dataset.classes)
    _warn_of_absent_classes(dataset, parts, warn)


def require_splits(splits: Any) -> None:
    """Raise DataError unless a split that was drawn or given is of parts without a common sample."""
    if not isinstance(splits, Splits):
        raise DataError(f"split gave {type(splits).__name__}, expected Splits")
    parts = {"train": splits.train, "valid": splits.valid, "test": splits.test}
    _require_sizes(parts)
    _require_disjoint(parts)


def _require_attributes(dataset: Dataset) -> None:
    if not isinstance(dataset.task, Task):
        raise DataError(f"task is {dataset.task!r}, expected one of {', '.join(f'Task.{t.name}' for t in Task)}")
    classes = dataset.classes
    if not isinstance(classes, tuple) or not all(isinstance(name, str) and name.strip() for name in classes):
        raise DataError(f"classes must be a tuple of names that are not empty, but is {classes!r:.200}")
    if twice := next((name for name in classes if classes.count(name) > 1), None):
        raise DataError(f"the class {twice!r} is named twice; labels are positions in `classes`")
    if dataset.task == Task.CLASSIFICATION and len(classes) < 2:
        raise DataError(
            f"classification needs the names of two classes or more, but classes is {classes!r}: give them in the "
            "order of the label indices"
        )
    if dataset.task == Task.REGRESSION and classes:
        raise DataError(f"regression has no classes, but classes is {classes!r:.200}: leave it empty")
    shares = dataset.fractions
    if len(shares) != 3 or not all(0 <= x <= 1 for x in shares) or abs(sum(shares) - 1) > 1e-6:
        raise DataError(f"fractions must be three shares that add up to 1, but are {shares!r:.200}")
    if not isinstance(dataset.stretch, int) or dataset.stretch < 1:
        raise DataError(f"stretch must be a whole number of samples from 1 on, but is {dataset.stretch!r:.200}")


def _require_inputs(part: str, inputs: Any, *, look_at_numbers: bool) -> None:
    if not isinstance(inputs, Inputs):
        raise DataError(f"{part}: inputs is {type(inputs).__name__}, expected Inputs")
    if bad := [name for name in inputs.ids if not isinstance(name, str) or not name.strip()]:
        raise DataError(
            f"{part}: the id {bad[0]!r:.100} is not a string with something in it ({len(bad)} of "
            f"{len(inputs.ids)} are not); journals hold ids: make them strings"
        )
    if not inputs.arrays:
        raise DataError(f"{part}: there is no modality; give at least one array of inputs")
    for modality, array in inputs.arrays.items():
        if not isinstance(modality, str) or not modality or modality == "fused":
            raise DataError(f"{part}: {modality!r} cannot be the name of a modality")
        what = f"{part}: the inputs of {modality}"
        if not isinstance(array, np.ndarray | Rows) or array.dtype != np.float32:
            raise DataError(
                f"{what} are {_kind(array)}, expected a NumPy array of float32{_cure(array, 'float32')}"
            )
        if 0 in array.shape[1:]:
            raise DataError(f"{what} have shape {array.shape}: there is not one number per sample")
        if look_at_numbers:
            _require_finite(what, inputs.ids, array, inputs.lengths.get(modality))
        if modality in inputs.present:
            _require_zeros(what, inputs.ids, array, ~inputs.present[modality])
    for modality, lengths in inputs.lengths.items():
        if not isinstance(lengths, np.ndarray) or lengths.dtype.kind not in "iu":
            raise DataError(f"{part}: the lengths of {modality} are {_kind(lengths)}, expected whole numbers")
    lacking = ~np.array([inputs.present.get(m, np.ones(len(inputs), bool)) for m in inputs.arrays])
    if len(empty := np.flatnonzero(lacking.all(axis=0))):
        raise DataError(
            f"{part}: {len(empty)} of {len(inputs)} samples have none of the modalities, the first of them "
            f"{inputs.ids[empty[0]]!r}; leave them out"
        )


def _require_zeros(what: str, ids: tuple[str, ...], array: Array | Rows, absent: Array) -> None:
    """Rows of samples that lack the modality."""
    rows = np.flatnonzero(absent)
    step = max(1, PIECE // max(1, math.prod(array.shape[1:])))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        found = some[array[some].reshape(len(some), -1).any(axis=1)]
        if len(found):
            raise DataError(
                f"{what} must be zeros for samples that lack it, but those of {ids[found[0]]!r} are not; set them "
                "to 0, so that no model can read them"
            )


def _require_finite(what: str, ids: tuple[str, ...], array: Array | Rows, lengths: Array | None) -> None:
    """NaN and infinity beyond the length of a sequence are padding, which nothing looks at."""
    found: list[int] = []
    for rows in pieces(array):
        piece = array[rows]
        good = np.isfinite(piece).all(axis=tuple(range(1, piece.ndim)))
        for row in np.flatnonzero(~good):
            steps = None if lengths is None else int(lengths[rows][row])
            if not np.isfinite(piece[row][:steps]).all():
                found.append(rows.start + int(row))
    if found:
        raise DataError(
            f"{what} hold NaN or infinity in {len(found)} of {len(ids)} samples, the first of them "
            f"{ids[found[0]]!r}; fill them, or leave those samples out"
        )


def _require_labels(part: str, samples: Samples, dataset: Dataset) -> None:
    modalities = samples.inputs.modalities
    if unknown := [name for name in samples.unimodal_labels if name not in modalities]:
        raise DataError(
            f"{part}: there are labels of {unknown[0]!r}, but the modalities are {', '.join(modalities)}"
        )
    named = {"labels": samples.labels}
    named |= {f"labels of {modality}": y for modality, y in samples.unimodal_labels.items()}
    for name, labels in named.items():
        if dataset.task == Task.CLASSIFICATION:
            _require_indices(f"{part}: the {name}", labels, samples.ids, len(dataset.classes))
        else:
            _require_targets(f"{part}: the {name}", labels, samples.ids)


def _require_truth(part: str, samples: Samples, dataset: Dataset) -> None:
    if samples.truth and not dataset.synthetic:
        raise DataError(f"{part}: it has truth, which only made-up data can have: set synthetic=True")
    for name, known in samples.truth.items():
        if known.dtype not in (np.bool_, np.int64, np.float32):
            raise DataError(f"{part}: the truth of {name} is {_kind(known)}, expected bool, int64 or float32")
        if known.dtype == np.float32 and not np.isfinite(known).all():
            raise DataError(f"{part}: the truth of {name} holds NaN or infinity")


def _require_indices(what: str, labels: Any, ids: tuple[str, ...], classes: int) -> None:
    if not isinstance(labels, np.ndarray) or labels.dtype != np.int64:
        raise DataError(
            f"{what} are {_kind(labels)}, expected an int64 index of `classes` for each sample"
            f"{_cure(labels, 'int64')}"
        )
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(outside):
        hint = "; if they count from 1, take 1 off" if labels.min() == 1 and labels.max() == classes else ""
        raise DataError(
            f"{what} must be between 0 and {classes - 1}, since `classes` names {classes}, but sample "
            f"{ids[outside[0]]!r} has {labels[outside[0]]} ({len(outside)} of {len(ids)} are outside){hint}"
        )


def _require_targets(what: str, labels: Any, ids: tuple[str, ...]) -> None:
    if not isinstance(labels, np.ndarray) or labels.dtype != np.float32:
        raise DataError(
            f"{what} are {_kind(labels)}, expected a float32 target for each sample{_cure(labels, 'float32')}"
        )
    bad = np.flatnonzero(~np.isfinite(labels))
    if len(bad):
        raise DataError(
            f"{what} hold NaN or infinity in {len(bad)} of {len(ids)} samples, the first of them {ids[bad[0]]!r}; "
            "leave those samples out"
        )


def _require_unlabeled(dataset: Dataset) -> None:
    """As inputs of samples, and of none that has a label."""
    inputs = dataset.unlabeled
    if inputs is None:
        return
    _require_inputs("unlabeled", inputs, look_at_numbers=not dataset.stored_digest)
    known = Samples(inputs=inputs, labels=np.zeros(len(inputs), np.int64))
    for name, samples in dataset.parts.items():
        _require_alike({name: samples, "unlabeled": known})
        _require_disjoint({name: samples, "unlabeled": known})


def _require_sizes(parts: Mapping[str, Samples]) -> None:
    for name in ("train", "test", "all"):
        if name in parts and not len(parts[name]):
            raise DataError(f"{name} has no samples")


def _require_alike(parts: Mapping[str, Samples]) -> None:
    """The same modalities of the same sizes in every part."""
    (first, one), *others = parts.items()
    for name, other in others:
        if not len(other):
            continue
        if one.inputs.modalities != other.inputs.modalities:
            raise DataError(
                f"{first} has the modalities {', '.join(one.inputs.modalities)}, and {name} has "
                f"{', '.join(other.inputs.modalities)}: all parts need the same, in the same order"
            )
        if one.inputs.incomplete != other.inputs.incomplete:
            lacking = [", ".join(samples.inputs.incomplete) or "nothing" for samples in (one, other)]
            raise DataError(
                f"samples may lack {lacking[0]} in {first} and {lacking[1]} in {name}: `present` needs the same "
                "modalities in all parts, all true for one that none lacks"
            )
        for modality, array in one.inputs.arrays.items():
            shape = other.inputs.arrays[modality].shape
            if array.ndim != len(shape) or array.shape[-1] != shape[-1]:
                raise DataError(
                    f"{modality} has shape {array.shape} in {first} and {shape} in {name}: "
                    "the last axis must agree"
                )


def _require_disjoint(parts: Mapping[str, Samples]) -> None:
    for (first, one), (second, other) in combinations(parts.items(), 2):
        if common := sorted(set(one.ids) & set(other.ids)):
            raise DataError(
                f"{first} and {second} share {len(common)} samples, such as {common[0]!r}: what is trained "
                "on must not be tested"
            )


def _warn_of_absent_classes(dataset: Dataset, parts: Mapping[str, Samples], warn: Callable[[str], None]) -> None:
    for name, samples in parts.items():
        if name in POOL and dataset.classes:
            counts = np.bincount(samples.labels, minlength=len(dataset.classes))
            if absent := [label for label, count in zip(dataset.classes, counts, strict=True) if not count]:
                where = "no sample" if name == "all" else "no training sample, so that no model can learn it"
                listed = ", ".join(map(repr, absent[:5])) + (" and others" if len(absent) > 5 else "")
                warn(f"the data set has classes with {where}: {listed}")


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray | Rows):
        return f"of type {value.dtype}"
    return f"of class {type(value).__name__}"


def _cure(value: Any, wanted: str) -> str:
    """How to get numbers of the right type, if that loses nothing."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in ("iuf" if wanted == "float32" else "iu"):
        return f"; convert them with .astype(np.{wanted})"
    return "; give each class its position in `classes`" if wanted == "int64" else ""
