"""How predictions are measured: the contract of metrics, those of each task, and the parts they are made of."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alharness.errors import DataError

from .vocabulary import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    Array = np.ndarray[Any, Any]
    Compute = Callable[[Array, Array, tuple[str, ...]], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """What is measured on the validation and test samples of a data set.

    Every name that it mentions must be among those that `compute` returns.

    >>> from alharness import Metrics, Task
    >>> def compute(predictions, labels, classes):
    ...     error = predictions[:, 0] - labels
    ...     return {"mae": abs(error).mean(), "bias": error.mean()}
    >>> ages = Metrics(name="ages", task=Task.REGRESSION, compute=compute, primary="mae", lower_is_better={"mae"})
    >>> ages.headline
    ('mae',)

    Attributes:
        name: what they are called; part of the data set's digest.
        task: the task of the data sets that they measure.
        compute: (predictions, labels, classes) -> name of a metric -> its value, NaN if it is undefined for these
            samples. Predictions are (n, C) scores, the largest of which is the predicted class, or (n, 1) values;
            labels are (n,) class indices or targets; classes are the names of the classes. It is called after
            every epoch, and sent to other processes: it must hold no open files or locks.
        primary: the metric that ranks samplers and stops trainings early.
        lower_is_better: metrics whose smaller values are better; all others are better when larger.
        headline: the metrics that tables and dashboards show, in their order. Journals and trackers hold all.
    """

    name: str
    task: Task
    compute: Compute
    primary: str
    lower_is_better: frozenset[str] | set[str] = frozenset()
    headline: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Show the primary metric if nothing else is asked for. Raises DataError for fields of a wrong type."""
        wanted = {
            "name": (str, "text"),
            "task": (Task, "an alharness.Task"),
            "primary": (str, "the name of a metric"),
            "lower_is_better": ((frozenset, set), "a set of names, such as {'mae'}"),
            "headline": (tuple, "a tuple of names, such as ('mae',)"),
        }
        for field, (kind, expected) in wanted.items():
            if not isinstance(value := getattr(self, field), kind):  # type: ignore[arg-type]
                raise DataError(f"metrics {self.name!r:.100}: {field} is {value!r:.100}, expected {expected}")
        if not callable(self.compute):
            raise DataError(f"metrics {self.name!r}: compute is {self.compute!r:.100}, expected a function")
        object.__setattr__(self, "lower_is_better", frozenset(self.lower_is_better))
        object.__setattr__(self, "headline", self.headline or (self.primary,))


def classification(predicted: Array, labels: Array, classes: int) -> dict[str, float]:
    """Accuracy, support-weighted F1 (`f1`) and the plain mean of the F1 of all classes met (`f1_macro`).

    As scikit-learn's `f1_score` with `zero_division=0`, which costs more than an epoch of a small model.

    Args:
        predicted: (n,) class indices.
        labels: (n,) class indices.
        classes: how many classes there are.
    """
    hits, support, claimed = class_counts(predicted, labels, classes)
    met = support + claimed > 0  # a class that neither occurs nor is predicted has no F1
    f1 = 2 * hits[met] / (support[met] + claimed[met])
    return {
        "accuracy": float(hits.sum() / support.sum()),
        "f1": float(f1 @ support[met] / support.sum()),
        "f1_macro": float(f1.mean()),
    }


def class_counts(predicted: Array, labels: Array, classes: int) -> tuple[Array, Array, Array]:
    """Hits, samples and predictions of every class, (classes,) each.

    Args:
        predicted: (n,) class indices.
        labels: (n,) class indices.
        classes: how many classes there are.
    """
    import numpy as np

    confusion = np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)
    return confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)


def regression(predicted: Array, labels: Array) -> dict[str, float]:
    """Mean absolute error, root mean squared error, and Pearson's correlation (`corr`).

    Args:
        predicted: (n,) values.
        labels: (n,) values.
    """
    error = predicted.astype("float64") - labels.astype("float64")
    return {
        "mae": absolute_error(predicted, labels),
        "rmse": math.sqrt((error**2).mean()),
        "corr": correlation(predicted, labels),
    }


def absolute_error(predicted: Array, labels: Array) -> float:
    """The mean absolute difference, in the units of the labels."""
    return float(abs(predicted.astype("float64") - labels.astype("float64")).mean())


def correlation(predicted: Array, labels: Array) -> float:
    """Pearson's correlation. That of a constant is undefined: NaN, with a warning."""
    p, t = predicted.astype("float64"), labels.astype("float64")
    # Judged by the values themselves: rounding leaves a constant minus its mean a little off zero.
    if p.min() == p.max() or t.min() == t.max():
        warnings.warn("all predictions or all labels are equal: the correlation is undefined", stacklevel=3)
        return float("nan")
    p, t = p - p.mean(), t - t.mean()
    return float(p @ t) / math.sqrt((p @ p) * (t @ t))


def determination(predicted: Array, labels: Array) -> float:
    """R², the share of the labels' variance that is explained; NaN if the labels are all equal."""
    p, t = predicted.astype("float64"), labels.astype("float64")
    spread = float(((t - t.mean()) ** 2).sum())
    return 1 - float(((t - p) ** 2).sum()) / spread if t.min() != t.max() else float("nan")


def _of_classes(predictions: Array, labels: Array, classes: tuple[str, ...]) -> dict[str, float]:  # noqa: ARG001
    return classification(predictions.argmax(axis=1), labels, predictions.shape[1])


def _of_values(predictions: Array, labels: Array, classes: tuple[str, ...]) -> dict[str, float]:  # noqa: ARG001
    return regression(predictions[:, 0], labels)


CLASSIFICATION = Metrics(
    name="classification",
    task=Task.CLASSIFICATION,
    compute=_of_classes,
    primary="f1",
    headline=("accuracy", "f1", "f1_macro"),
)
REGRESSION = Metrics(
    name="regression",
    task=Task.REGRESSION,
    compute=_of_values,
    primary="mae",
    lower_is_better={"mae", "rmse"},
    headline=("mae", "rmse", "corr"),
)


def metrics_of(task: Task) -> Metrics:
    """The metrics of a data set that brings none of its own."""
    return CLASSIFICATION if task == Task.CLASSIFICATION else REGRESSION
