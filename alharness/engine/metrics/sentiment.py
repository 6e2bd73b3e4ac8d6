"""Metrics of sentiment, a value from negative to positive, as the public code of these data sets takes them.

Facts from thuiar/ch-sims-v2 6eb09e5 and thuiar/MMSA a94e65d, `utils/metricsTop.py` in both. Nothing is
rounded here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .classification import classification
from .regression import absolute_error, correlation, determination

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

# In float32, as the labels are: the label 0.1 in float32 lies above 0.1 in float64, and would change its class.
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
    binary = classification((p > 0).astype(int), (t > 0).astype(int), 2)
    weak = np.abs(t) <= WEAK
    return {
        "mae": absolute_error(p, t),
        "corr": correlation(p, t),
        "acc2": binary["accuracy"],
        "acc3": _agreement(np.searchsorted(THREE, p), np.searchsorted(THREE, t)),
        "acc5": _agreement(np.searchsorted(FIVE, p), np.searchsorted(FIVE, t)),
        "f1": binary["f1"],
        "acc2_weak": _agreement(p[weak] > 0, t[weak] > 0),
        "r2": determination(p, t),
    }


def mosi(predicted: Array, labels: Array) -> dict[str, float]:
    """Metrics of MOSI and MOSEI, whose labels lie in [−3, 3].

    `acc2_has0` and its support-weighted `f1_has0`: at least 0 against less, all samples. `acc2_non0` and
    `f1_non0`: more than 0 against the rest, without samples labeled 0 (NaN where no other is left). `acc5` and
    `acc7`: clipped to ±2 and ±3, and rounded, half to even. `mae` and `corr` are not clipped.

    Args:
        predicted: (n,) values.
        labels: (n,) values.
    """
    p, t = predicted.astype(np.float32), labels.astype(np.float32)
    has0 = classification((p >= 0).astype(int), (t >= 0).astype(int), 2)
    counted = t != 0
    non0 = {"accuracy": float("nan"), "f1": float("nan")}
    if counted.any():
        non0 = classification((p[counted] > 0).astype(int), (t[counted] > 0).astype(int), 2)
    return {
        "mae": absolute_error(p, t),
        "corr": correlation(p, t),
        "acc2_has0": has0["accuracy"],
        "f1_has0": has0["f1"],
        "acc2_non0": non0["accuracy"],
        "f1_non0": non0["f1"],
        "acc5": _agreement(p.clip(-2, 2).round(), t.clip(-2, 2).round()),
        "acc7": _agreement(p.clip(-3, 3).round(), t.clip(-3, 3).round()),
    }


def _agreement(predicted: Array, labels: Array) -> float:
    return float((predicted == labels).mean()) if len(labels) else float("nan")
