"""Samples from what users of Python have: arrays, data frames, tensors, or a mapping of modalities to these."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alharness.api.samples import Inputs
from alharness.api.vocabulary import Task
from alharness.errors import DataError
from alharness.text.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]

ALONE = "features"
"""Name of the modality if there is only one, which was given no name."""


class Labels(NamedTuple):
    """Labels so far.

    Attributes:
        task: what they are.
        known: (n,) bool, which samples have one.
        values: (n,) class indices or targets; arbitrary for samples without a label.
        classes: the classes as they were given, in the order of their indices; empty for regression.
    """

    task: Task
    known: NDArray[np.bool_]
    values: Array
    classes: tuple[Any, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(map(str, self.classes))


def to_inputs(given: Any, ids: Sequence[Any] | None = None) -> Inputs:
    """Inputs from a row for each sample.

    Args:
        given: array-like (n, d), or (n, t, d) for sequences; a data frame with columns of numbers; or a mapping of
            names of modalities to these.
        ids: distinct names of the samples; by default the numbers of the rows.

    Raises:
        DataError: it is something else, or its numbers are not finite.

    >>> from alharness.labeling.frames import to_inputs
    >>> to_inputs({"text": [[0.0, 1.0], [1.0, 0.0]], "tab": [[3], [4]]}).modalities
    ('text', 'tab')
    """
    modalities = dict(given) if isinstance(given, Mapping) else {ALONE: given}
    if not modalities:
        raise DataError("X: there is no modality; give at least one array")
    arrays = {str(name): _numbers(str(name), array) for name, array in modalities.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    n = next(iter(lengths.values()))
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name}: {length:,}" for name, length in lengths.items())
        raise DataError(
            f"X: modalities have different numbers of rows ({told}); give a row for each sample in each"
        )
    if ids is None:
        names = tuple(map(str, range(n)))
    else:
        names = tuple(map(str, ids))
        if len(names) != n:
            raise DataError(f"ids: there are {len(names):,} of them for {n:,} samples")
    return Inputs(ids=names, arrays=arrays)


def to_labels(given: Any, n: int, task: Task | str | None = None, classes: Sequence[Any] | None = None) -> Labels:
    """Labels of n samples, of which some, or all, have none.

    Args:
        given: n labels: None, NaN or an empty text without one; None for no labels at all.
        n: number of samples.
        task: what they are; None to go by the labels: numbers with fractions are targets, all else classes.
        classes: all classes there are, in the order of their indices; None for those that occur, sorted.

    Raises:
        DataError: they are not n, or not what the task takes, or not of these classes.

    >>> from alharness.labeling.frames import to_labels
    >>> labels = to_labels(["cat", None, "dog"], 3)
    >>> labels.known, labels.classes
    (array([ True, False,  True]), ('cat', 'dog'))
    """
    items = [None] * n if given is None else _items(given)
    if len(items) != n:
        raise DataError(
            f"y: there are {len(items):,} labels for {n:,} samples; write None for a sample without one"
        )
    known = np.array([not _is_missing(item) for item in items], bool)
    found = [item for item, has in zip(items, known, strict=True) if has]
    if task is not None and task not in list(Task):
        raise DataError(f"task: expected {' or '.join(Task)}, and not {task!r:.60}")
    fractions = any(isinstance(item, float) and not item.is_integer() for item in found)
    kind = Task(task) if task else Task.REGRESSION if fractions and classes is None else Task.CLASSIFICATION
    if kind == Task.REGRESSION:
        if wrong := [item for item in found if not isinstance(item, int | float) or not math.isfinite(item)]:
            raise DataError(
                f"y: expected numbers to predict, but {wrong[0]!r:.60} is none; or is this classification?"
            )
        targets = np.array([item if has else 0.0 for item, has in zip(items, known, strict=True)], np.float32)
        return Labels(kind, known, targets, ())
    found = [_class(item) for item in found]
    offered = _sorted(set(found)) if classes is None else [_class(item) for item in _items(classes)]
    places = {item: index for index, item in enumerate(offered)}
    if len(places) < len(offered):
        raise DataError("classes: one of them is named twice")
    if strange := [item for item in found if item not in places]:
        near = did_you_mean(str(strange[0]), list(map(str, offered)))
        raise DataError(
            f"y: the label {strange[0]!r:.60} is none of the classes{near}; correct it, or add it to classes"
        )
    indices = iter([places[item] for item in found])
    values = np.array([next(indices) if has else 0 for has in known], np.int64)
    return Labels(kind, known, values, tuple(offered))


def _numbers(name: str, given: Any) -> Array:
    """(n, d) or (n, t, d) finite float32."""
    if hasattr(given, "detach"):  # a tensor
        given = given.detach().cpu().float().numpy()
    elif hasattr(given, "select_dtypes"):  # a data frame
        if wrong := [str(column) for column, kind in given.dtypes.items() if kind.kind not in "fiub"]:
            raise DataError(
                f"X: the column {wrong[0]!r} holds no numbers; encode it, or leave it out: "
                f"X.drop(columns={wrong!r}). A column of vectors is a modality of its own: "
                f"{{{wrong[0]!r}: X[{wrong[0]!r}]}}"
            )
        given = given.to_numpy(dtype=np.float32)
    elif hasattr(given, "toarray"):  # a sparse matrix
        given = given.toarray()
    try:
        array = _array(given)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"X: {name} cannot be read as numbers ({error}); give a row of numbers for each sample"
        ) from None
    if not len(array):
        raise DataError(f"X: {name} has no rows")
    if array.ndim not in (2, 3) or 0 in array.shape[1:]:
        advice = "; for one number per sample: x.reshape(-1, 1)" if array.ndim == 1 else ""
        raise DataError(
            f"X: {name} has shape {array.shape}, expected (samples, features) or "
            f"(samples, steps, features){advice}"
        )
    array = np.ascontiguousarray(array, np.float32)
    bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1).sum(axis=1, dtype=np.float64)))
    if len(bad):
        raise DataError(
            f"X: {name} holds NaN or infinite numbers in {len(bad):,} rows, the first of them {bad[0]}; fill "
            "them, or leave these samples out"
        )
    return array


def _array(given: Any) -> Array:
    """It as an array of numbers. Raises TypeError or ValueError: it is none."""
    array = np.asarray(given)
    if array.dtype == object and array.ndim == 1 and len(array) and hasattr(array[0], "__len__"):
        array = np.stack([np.asarray(row) for row in array])  # a column of vectors
    if array.dtype.kind == "c":
        raise TypeError("they are complex")
    return array if array.dtype.kind in "fiub" else array.astype(np.float32)


def _items(given: Any) -> list[Any]:
    """Its items as plain Python objects."""
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    if getattr(given, "ndim", 1) == 2 and given.shape[1] == 1:
        given = given.iloc[:, 0] if hasattr(given, "iloc") else given[:, 0]
    if getattr(getattr(given, "dtype", None), "kind", "") == "U" and {"nan", "None"} & {*given.ravel().tolist()}:
        raise DataError(
            "y: numpy has made text of None or NaN, so that they look like classes; give a list, or an array with "
            "dtype=object"
        )
    if getattr(given, "ndim", 1) != 1 or isinstance(given, str | Mapping):
        shape = getattr(given, "shape", type(given).__name__)
        raise DataError(f"y: expected a label for each sample, but it is {shape}")
    return [item.item() if isinstance(item, np.generic) else item for item in given]


def _is_missing(item: Any) -> bool:
    """None, NaN, what pandas has for both, and an empty text."""
    return (
        item is None
        or (isinstance(item, str) and not item.strip())
        or type(item).__name__ in ("NAType", "NaTType")
        or (isinstance(item, float) and math.isnan(item))
    )


def _class(item: Any) -> Any:
    """A class as it is meant: pandas makes 1.0 of 1 if some labels are missing."""
    return int(item) if isinstance(item, float) and item.is_integer() else item


def _sorted(items: set[Any]) -> list[Any]:
    try:
        return sorted(items)
    except TypeError:
        return sorted(items, key=str)
