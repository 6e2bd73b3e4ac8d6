"""Samplers over several settings: average ranks, Friedman's test, and the critical difference of Nemenyi's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .statistics import ALPHA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ENOUGH = 5
"""Settings from which on a critical difference is drawn: with fewer, ranks are hardly an average."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """Ranks of k samplers over N settings.

    Attributes:
        labels: the samplers.
        settings: names of the settings.
        ranks: (N, k), 1 for the best; ties share.
        p: of Friedman's test; NaN below three samplers or five settings.
        agreement: Kendall's W: 0 if settings rank as by chance, 1 if all rank alike; NaN if p is.
        critical: Nemenyi's critical difference of average ranks at 0.05; NaN if Friedman's p is.
    """

    labels: tuple[str, ...]
    settings: tuple[str, ...]
    ranks: NDArray[np.float64]
    p: float
    agreement: float
    critical: float

    @property
    def average(self) -> NDArray[np.float64]:
        """(k,); NaN without settings."""
        if not self.settings:
            return np.full(len(self.labels), np.nan)
        mean: NDArray[np.float64] = self.ranks.mean(axis=0)
        return mean

    def of(self, label: str) -> float:
        """The average rank of a sampler."""
        return float(self.average[self.labels.index(label)])

    def better(self, one: str, other: str) -> bool:
        """Whether one is shown to be better than another: by Friedman's test and by more than chance may do."""
        return self.p < ALPHA and self.of(other) - self.of(one) > self.critical

    @property
    def refusal(self) -> str:
        """Why there is no critical-difference diagram; empty if there is one."""
        n, k = self.ranks.shape
        if n < ENOUGH:
            return (
                f"A critical-difference diagram needs at least {ENOUGH} settings (data sets x budgets), and these "
                f"are {n}: seeds of one setting are no independent settings."
            )
        if k < 3:
            return f"A critical-difference diagram needs at least three samplers, and these are {k}."
        return ""


def rank(labels: Sequence[str], settings: Sequence[str], values: NDArray[np.float64]) -> Ranking:
    """Ranks from values (N, k), larger being better."""
    from scipy import stats

    n, k = values.shape
    ranks = stats.rankdata(-values, axis=1) if n else np.zeros((0, k))
    p = agreement = critical = math.nan
    if n >= ENOUGH and k >= 3:
        p, agreement = 1.0, 0.0  # if all are equal in every setting, for which the test's formula divides 0 by 0
        if np.ptp(values, axis=1).any():
            friedman = stats.friedmanchisquare(*values.T)
            p, agreement = float(friedman.pvalue), float(friedman.statistic / (n * (k - 1)))
        # The studentized range of infinitely many degrees of freedom, divided by √2 (Demšar, JMLR 2006).
        q = stats.studentized_range.ppf(0.95, k, np.inf) / math.sqrt(2)
        critical = float(q * math.sqrt(k * (k + 1) / (6 * n)))
    return Ranking(
        labels=tuple(labels), settings=tuple(settings), ranks=ranks, p=p, agreement=agreement, critical=critical
    )
