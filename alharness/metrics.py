"""Quality of predictions on the test split, and which metric ranks."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from .features import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

PRIMARY = {Task.CLASSIFICATION: "f1", Task.REGRESSION: "mae"}
"""The metric that ranks samplers and stops training early."""

LOWER_IS_BETTER = frozenset({"mae", "rmse"})
"""Metrics whose smaller values are better; all others are better when larger."""


def evaluate(task: Task, predictions: Array, labels: Array) -> dict[str, float]:
    """All metrics of a task, by name.

    Args:
        task: classification or regression.
        predictions: (n, C) scores, the largest being the predicted class; or (n, 1) values.
        labels: (n,) class indices or targets.
    """
    if task == Task.CLASSIFICATION:
        return classification(predictions.argmax(axis=1), labels, predictions.shape[1])
    return regression(predictions[:, 0], labels)


def classification(predicted: Array, labels: Array, classes: int) -> dict[str, float]:
    """Accuracy, support-weighted F1 (`f1`) and the plain mean of the F1 of all classes met (`f1_macro`).

    As scikit-learn's `f1_score` with `zero_division=0`; our own because it is taken after every epoch, and
    importing and calling scikit-learn costs more than the epoch.
    """
    confusion = np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)
    hits, support, claimed = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    met = support + claimed > 0  # a class that neither occurs nor is predicted has no F1
    f1 = 2 * hits[met] / (support[met] + claimed[met])
    return {
        "accuracy": float(hits.sum() / support.sum()),
        "f1": float(f1 @ support[met] / support.sum()),
        "f1_macro": float(f1.mean()),
    }


def regression(predicted: Array, labels: Array) -> dict[str, float]:
    """Mean absolute error, root mean squared error, and Pearson's correlation (`corr`).

    The correlation of a constant is undefined: NaN, with a warning.
    """
    predicted, labels = predicted.astype(np.float64), labels.astype(np.float64)
    error = predicted - labels
    p, t = predicted - predicted.mean(), labels - labels.mean()
    scale = float(np.sqrt((p @ p) * (t @ t)))
    if scale == 0:
        warnings.warn("all predictions or all labels are equal: the correlation is undefined", stacklevel=2)
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "corr": float(p @ t) / scale if scale else float("nan"),
    }
