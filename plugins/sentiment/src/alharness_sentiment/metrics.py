"""Metrics of sentiment, a value from negative to positive, as the public code of these data sets takes them.

Facts from thuiar/ch-sims-v2 6eb09e5 and thuiar/MMSA a94e65d, `utils/metricsTop.py` in both. Nothing is
rounded here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness import Task
from alharness.api.metrics import (
    REGRESSION,
    Metrics,
    absolute_error,
    class_counts,
    classification,
    correlation,
    determination,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Array = np.ndarray[Any, Any]

# In float32, as the labels are: the label 0.1 in float32 is above 0.1 in float64, and would change its class.
THREE = np.array([-0.1, 0.1], np.float32)
FIVE = np.array([-0.7, -0.1, 0.1, 0.7], np.float32)
WEAK = np.float32(0.4)


def sims(predicted: Array, labels: Array) -> dict[str, float]:
    """Metrics of SIMS and SIMSv2; predictions and labels are clipped to [−1, 1] first, for every one of them.

    `acc2` and its support-weighted `f1`: positive is > 0, zero counts as negative. `acc3` and `acc5`: classes
    between −0.1, 0.1 and between −0.7, −0.1, 0.1, 0.7, which belong to the class below. `acc2_weak`: `acc2` of
    labels within ±0.4 (NaN without any). `r2` is the coefficient of determination.

    Args:
        predicted: (n,) values.
        labels: (n,) values.
    """
    p, t = (values.astype(np.float32).clip(-1, 1) for values in (predicted, labels))
    acc2, f1 = _binary(p > 0, t > 0)
    weak = np.abs(t) <= WEAK
    return {
        "mae": absolute_error(p, t),
        "corr": correlation(p, t),
        "acc2": acc2,
        "acc3": _agreement(np.searchsorted(THREE, p), np.searchsorted(THREE, t)),
        "acc5": _agreement(np.searchsorted(FIVE, p), np.searchsorted(FIVE, t)),
        "f1": f1,
        "acc2_weak": _agreement(p[weak] > 0, t[weak] > 0),
        "r2": determination(p, t),
    }


def mosi(predicted: Array, labels: Array) -> dict[str, float]:
    """Metrics of MOSI and MOSEI, whose labels are in [−3, 3].

    `acc2_has0` and its support-weighted `f1_has0`: at least 0 against less, all samples. `acc2_non0` and
    `f1_non0`: more than 0 against the rest, without samples labeled 0 (NaN if no other is left). `acc5` and
    `acc7`: clipped to ±2 and ±3, and rounded, half to even. `mae` and `corr` are not clipped.

    Args:
        predicted: (n,) values.
        labels: (n,) values.
    """
    p, t = predicted.astype(np.float32), labels.astype(np.float32)
    counted = t != 0
    acc2_has0, f1_has0 = _binary(p >= 0, t >= 0)
    acc2_non0, f1_non0 = _binary(p[counted] > 0, t[counted] > 0)
    return {
        "mae": absolute_error(p, t),
        "corr": correlation(p, t),
        "acc2_has0": acc2_has0,
        "f1_has0": f1_has0,
        "acc2_non0": acc2_non0,
        "f1_non0": f1_non0,
        "acc5": _agreement(p.clip(-2, 2).round(), t.clip(-2, 2).round()),
        "acc7": _agreement(p.clip(-3, 3).round(), t.clip(-3, 3).round()),
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
    hits, support, claimed = class_counts(predicted, labels, classes)
    total = support + claimed
    single = np.divide(2.0 * hits, total, out=np.full(classes, np.nan), where=total > 0)
    return overall | dict(zip(_keys(names, taken=overall), single.tolist(), strict=False))


def _binary(predicted: Array, labels: Array) -> tuple[float, float]:
    """Accuracy and support-weighted F1 of two classes; NaN without samples."""
    if not len(labels):
        return float("nan"), float("nan")
    found = classification(predicted.astype(int), labels.astype(int), 2)
    return found["accuracy"], found["f1"]


def _agreement(predicted: Array, labels: Array) -> float:
    return float((predicted == labels).mean()) if len(labels) else float("nan")


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


def _sims(predictions: Array, labels: Array, classes: tuple[str, ...]) -> dict[str, float]:  # noqa: ARG001
    return sims(predictions[:, 0], labels)


def _mosi(predictions: Array, labels: Array, classes: tuple[str, ...]) -> dict[str, float]:  # noqa: ARG001
    return mosi(predictions[:, 0], labels)


def _emotions(predictions: Array, labels: Array, classes: tuple[str, ...]) -> dict[str, float]:
    return emotions(predictions.argmax(axis=1), labels, predictions.shape[1], classes)


SIMS = Metrics(
    name="sims",
    task=Task.REGRESSION,
    compute=_sims,
    primary="mae",
    lower_is_better={"mae"},
    headline=("mae", "acc2", "corr"),
)
MOSI = Metrics(
    name="mosi",
    task=Task.REGRESSION,
    compute=_mosi,
    primary="mae",
    lower_is_better={"mae"},
    headline=("mae", "acc2_non0", "corr"),
)
EMOTIONS = Metrics(
    name="emotions",
    task=Task.CLASSIFICATION,
    compute=_emotions,
    primary="f1",
    headline=("accuracy", "f1", "f1_macro"),
)
METRICS = {metrics.name: metrics for metrics in (REGRESSION, SIMS, MOSI, EMOTIONS)}
"""Those of this field, by name, and those of any regression."""
