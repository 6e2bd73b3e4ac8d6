"""Metrics of classes. Our own, because they are taken after every epoch, and scikit-learn's cost more than it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]


def classification(predicted: Array, labels: Array, classes: int) -> dict[str, float]:
    """Accuracy, support-weighted F1 (`f1`) and the plain mean of the F1 of all classes met (`f1_macro`).

    As scikit-learn's `f1_score` with `zero_division=0`.

    Args:
        predicted: (n,) class indices.
        labels: (n,) class indices.
        classes: how many classes there are.
    """
    hits, support, claimed = _counts(predicted, labels, classes)
    met = support + claimed > 0  # a class that neither occurs nor is predicted has no F1
    f1 = 2 * hits[met] / (support[met] + claimed[met])
    return {
        "accuracy": float(hits.sum() / support.sum()),
        "f1": float(f1 @ support[met] / support.sum()),
        "f1_macro": float(f1.mean()),
    }


def emotions(predicted: Array, labels: Array, classes: int, names: Sequence[str] = ()) -> dict[str, float]:
    """As `classification`, and the F1 of every class as `f1_<class>`; NaN for a class that is not met.

    The "overall" F1 of the CHERMA papers is the support-weighted one, `f1`.

    Args:
        predicted: (n,) class indices.
        labels: (n,) class indices.
        classes: how many classes there are.
        names: their names; without names there are no metrics of single classes.
    """
    overall = classification(predicted, labels, classes)
    hits, support, claimed = _counts(predicted, labels, classes)
    total = support + claimed
    single = np.divide(2.0 * hits, total, out=np.full(classes, np.nan), where=total > 0)
    return overall | dict(zip(_keys(names, taken=overall), single.tolist(), strict=False))


def _counts(predicted: Array, labels: Array, classes: int) -> tuple[Array, Array, Array]:
    """Hits, samples and predictions of every class."""
    confusion = np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)
    return confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)


def _keys(names: Sequence[str], taken: Mapping[str, float]) -> list[str]:
    """Names of metrics, distinct, of the characters that MLflow takes in them."""
    keys: list[str] = []
    for name in names:
        key = first = "f1_" + re.sub(r"[^\w.-]+", "_", name)
        number = 2
        while key in taken or key in keys:
            key, number = f"{first}_{number}", number + 1
        keys.append(key)
    return keys
