"""Metrics of values."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def regression(predicted: Array, labels: Array) -> dict[str, float]:
    """Mean absolute error, root mean squared error, and Pearson's correlation (`corr`).

    Args:
        predicted: (n,) values.
        labels: (n,) values.
    """
    error = predicted.astype(np.float64) - labels.astype(np.float64)
    return {
        "mae": absolute_error(predicted, labels),
        "rmse": float(np.sqrt((error**2).mean())),
        "corr": correlation(predicted, labels),
    }


def absolute_error(predicted: Array, labels: Array) -> float:
    """The mean of |p − t|, in the units of the labels."""
    return float(np.abs(predicted.astype(np.float64) - labels.astype(np.float64)).mean())


def correlation(predicted: Array, labels: Array) -> float:
    """Pearson's correlation. That of a constant is undefined: NaN, with a warning."""
    p, t = predicted.astype(np.float64), labels.astype(np.float64)
    # Told by the values themselves: rounding leaves a constant minus its mean a little off zero.
    if np.ptp(p) == 0 or np.ptp(t) == 0:
        warnings.warn("all predictions or all labels are equal: the correlation is undefined", stacklevel=3)
        return float("nan")
    p, t = p - p.mean(), t - t.mean()
    return float(p @ t) / float(np.sqrt((p @ p) * (t @ t)))


def determination(predicted: Array, labels: Array) -> float:
    """R², the share of the labels' variance that is explained; NaN where the labels are all equal."""
    p, t = predicted.astype(np.float64), labels.astype(np.float64)
    spread = float(((t - t.mean()) ** 2).sum())
    return 1 - float(((t - p) ** 2).sum()) / spread if np.ptp(t) > 0 else float("nan")
