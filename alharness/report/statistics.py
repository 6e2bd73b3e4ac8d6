"""Means with confidence intervals, and the area under the budget curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Mean:
    """A mean over seeds.

    Attributes:
        value: the mean; NaN where there is nothing to average.
        half: half the width of its 95 % confidence interval; NaN for fewer than two values.
        n: values averaged.
        undefined: values left out because they were NaN.
    """

    value: float
    half: float
    n: int
    undefined: int = 0


def mean(values: Sequence[float]) -> Mean:
    """Mean and 95 % confidence interval by Student's t with n - 1 degrees of freedom, NaN left out."""
    from scipy.special import stdtrit  # the quantile of t; scipy.stats has it too, and takes a second to import

    defined = [value for value in values if not math.isnan(value)]
    n, undefined = len(defined), len(values) - len(defined)
    if n == 0:
        return Mean(math.nan, math.nan, 0, undefined)
    with np.errstate(over="ignore"):  # a model that diverged: its interval is unbounded
        half = float(stdtrit(n - 1, 0.975) * np.std(defined, ddof=1) / math.sqrt(n)) if n > 1 else math.nan
        return Mean(float(np.mean(defined)), half, n, undefined)


def aubc(labeled: Sequence[int], values: Sequence[float]) -> float:
    """Area under the budget curve: trapezoids over the labeled count, divided by its range.

    A constant curve has its constant as area, whatever the spacing (Zhan et al., IJCAI 2021). One point alone
    is its own area.
    """
    if len(labeled) == 1:
        return float(values[0])
    return float(np.trapezoid(values, labeled) / (labeled[-1] - labeled[0]))
