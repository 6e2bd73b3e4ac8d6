"""Statistics over settings and seeds, on arrays of scores: larger is better, and one scale serves all settings.

Interquartile mean, probability of improvement and performance profiles follow Agarwal et al. (NeurIPS 2021) and
their package rliable; the Bayesian signed-rank test follows Benavoli et al. (JMLR 18, 2017) and their package
baycomp. Tests compare the numbers. A resample is a row of weights, one for each run, so that each statistic is
computed for all resamples at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RESAMPLES = 4_999
SEED = 20_241
"""Of the generator of the bootstrap: the same results give the same report."""
PRIOR = 0.5
"""Weight that the signed-rank test gives to a setting without any difference."""
DRAWS = 20_000


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A statistic with its interval.

    Attributes:
        value: of the scores themselves.
        low: lower end of its 95 % confidence interval; NaN without one.
        high: its upper end.
    """

    value: float
    low: float = math.nan
    high: float = math.nan

    def excludes(self, value: float) -> bool:
        """Whether the interval is on one side of a value. It speaks of one sampler alone."""
        return self.low > value or self.high < value


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """Probabilities that in another such setting one sampler is worse than, as good as, or better than another.

    Attributes:
        worse: by more than the region of practical equivalence.
        same: within it.
        better: by more than it.
        settings: how many it rests on.
    """

    worse: float
    same: float
    better: float
    settings: int


def plain_weights(counts: Sequence[int]) -> Array:
    """(1, runs) weights of the runs of settings with so many seeds: each setting counts alike."""
    return np.repeat(1 / (len(counts) * np.array(counts, float)), counts)[None]


def resampled_weights(counts: Sequence[int], resamples: int = RESAMPLES) -> Array:
    """(resamples, runs) weights after the seeds of each setting were drawn again, by a fixed generator.

    The settings stay as they are: an interval is about other seeds, not about other settings. All samplers share a
    resample, since seeds are paired.
    """
    rng = np.random.default_rng(SEED)
    drawn = [rng.multinomial(n, np.full(n, 1 / n), size=resamples) / (n * len(counts)) for n in counts]
    return np.concatenate(drawn, axis=1)


def interquartile_mean(scores: Array, weights: Array) -> Array:
    """(samplers, resamples): mean of the middle half of all runs, a quarter being left out at each end.

    With as many seeds in each setting this is `rliable.metrics.aggregate_iqm`: of N runs N/4, rounded down, are
    left out at each end.

    Args:
        scores: (samplers, runs).
        weights: (resamples, runs), each row with the sum 1.
    """
    runs = scores.shape[1]
    cut = (runs // 4) / runs
    found = np.empty((len(scores), len(weights)))
    for row, values in enumerate(scores):
        order = np.argsort(values, kind="stable")
        own = weights[:, order]
        up_to = np.cumsum(own, axis=1)
        kept = np.minimum(up_to, 1 - cut) - np.maximum(up_to - own, cut)
        np.maximum(kept, 0, out=kept)
        found[row] = kept @ values[order] / kept.sum(axis=1)
    return found


def probability_of_improvement(one: Array, other: Array, counts: Sequence[int], weights: Array) -> Array:
    """(resamples,): probability that a run of one sampler beats a run of the other in the same setting.

    Averaged over settings, ties counting half: `rliable.metrics.probability_of_improvement`.

    Args:
        one: (runs,) scores.
        other: (runs,) scores.
        counts: seeds of each setting, in the order of the runs.
        weights: (resamples, runs).
    """
    found, start = np.zeros(len(weights)), 0
    for n in counts:
        place = slice(start, start := start + n)
        a, b, own = one[place], other[place], weights[:, place] * len(counts)
        beats = np.greater.outer(a, b) + 0.5 * np.equal.outer(a, b)
        found += np.einsum("bi,bi->b", own @ beats, own)
    return found / len(counts)


def profile(scores: Array, weights: Array, thresholds: Array) -> Array:
    """(resamples, thresholds): share of the runs of a sampler whose score is above each threshold.

    `rliable.library.create_performance_profile`, of score distributions.
    """
    found: Array = weights @ (scores[:, None] > thresholds).astype(float)
    return found


def bounds(draws: Array, counts: Sequence[int]) -> tuple[Array, Array]:
    """Ends of a 95 % interval from resamples, which are the last axis; NaN if a setting has too few seeds.

    Percentiles of few seeds are too narrow: those are taken that make up for it (Hesterberg, The American
    Statistician 69, 2015, section 5.3), with n the mean number of seeds and as many degrees of freedom as all
    settings have together.
    """
    from scipy import special

    runs, settings = sum(counts), len(counts)
    n = runs / settings
    level = float(special.ndtr(-math.sqrt(n / (n - 1)) * special.stdtrit(runs - settings, 0.975)))
    low, high = np.quantile(draws, [level, 1 - level], axis=-1)
    return low, high


def signed_rank(differences: Sequence[float], equivalent: float) -> Posterior:
    """The Bayesian signed-rank test of differences of two samplers, one for each setting.

    Weights of the settings, and of one more without any difference, are drawn from a Dirichlet distribution. In
    each draw, the mean of two settings drawn with these weights is most probably below, within or above the region
    of practical equivalence; the result is how often each of the three is.

    Args:
        differences: positive if the first sampler is better.
        equivalent: half the width of the region of practical equivalence.
    """
    seen = np.array([0.0, *differences])
    weights = np.random.default_rng(SEED).dirichlet([PRIOR, *([1.0] * len(differences))], size=DRAWS)
    sums = np.add.outer(seen, seen)

    def above(limit: float, values: Array) -> Array:
        share = (values > limit) + 0.5 * (values == limit)
        found: Array = np.einsum("bi,bi->b", weights @ share, weights)
        return found

    better, worse = above(2 * equivalent, sums), above(2 * equivalent, -sums)
    most = np.argmax([worse, 1 - better - worse, better], axis=0)
    shares = np.bincount(most, minlength=3) / DRAWS
    return Posterior(
        worse=float(shares[0]), same=float(shares[1]), better=float(shares[2]), settings=len(differences)
    )
