"""How far samplers differ, over the seeds of one setting, with noise that is estimated from all of them.

Seeds are blocks: samplers are compared within a seed, so that what a seed does to all of them cancels. Three to
ten differences say little about their own noise, and several samplers together say more. So the variance of each
difference is drawn toward the mean variance of its family, the less, the more these variances differ (after
Smyth, Stat. Appl. Genet. Mol. Biol. 3, 2004). How far, was chosen by simulation, see `studies/statistics`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .statistics import by_t, difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from alharness.api.plan import Statistics

    from .statistics import Difference

    Array = NDArray[np.float64]
    Pair = tuple[str, str]


def compare(
    rows: Mapping[str, Array],
    pairs: Iterable[Pair],
    method: Statistics = "blocks",
    *,
    lower_is_better: bool,
    with_ranks: bool = False,
) -> dict[Pair, Difference]:
    """Differences of one family, not yet corrected: `statistics.corrected` does that.

    A pair is over the seeds that both have. Pairs with fewer than three, and those whose differences are the same
    in every seed, are not tested, and say nothing about the noise of the others. A pair by itself has the paired
    t-test in any case.

    Args:
        rows: label -> (seeds,) values, or (seeds, replicates), which count by their mean; the seeds are the same
            in all rows, and what is missing is NaN.
        pairs: which labels to compare.
        method: whose noise counts.
        lower_is_better: whether smaller values are better.
        with_ranks: do Wilcoxon's test, too, if there are enough seeds.
    """
    means = {label: _mean_of_replicates(np.asarray(row, float)) for label, row in rows.items()}
    found = {
        (one, other): difference(means[one], means[other], lower_is_better=lower_is_better, with_ranks=with_ranks)
        for one, other in pairs
    }
    if method == "paired_t":
        return found
    able = [pair for pair, d in found.items() if not np.isnan(d.p)]
    if len(able) < 2:
        return {pair: replace(d, pooled=True) for pair, d in found.items()}
    values = np.stack([means[one] - means[other] for one, other in able], axis=1)
    # Differences between l samplers are l - 1 independent ones, and sums of these.
    variances, dfs = pooled(values, independent=len({label for pair in able for label in pair}) - 1)
    for pair, variance, df in zip(able, variances, dfs, strict=True):
        found[pair] = by_t(found[pair], float(np.sqrt(variance / found[pair].n)), float(df), pooled=True)
    return found


def pooled(differences: Array, independent: int) -> tuple[Array, Array]:
    """Variances of differences, each drawn toward the mean of all, and their degrees of freedom.

    Args:
        differences: (..., seeds, m) of m pairs, at least two; NaN if a pair lacks a seed. Each needs two seeds
            and a variance.
        independent: how many of the pairs do not follow from others.

    Returns:
        (..., m) variances of a single difference, and (..., m) degrees of freedom.
    """
    there = ~np.isnan(differences)
    own_df = there.sum(-2) - 1.0
    means = np.where(there, differences, 0.0).sum(-2, keepdims=True) / (own_df + 1)[..., None, :]
    parts = np.where(there, differences - means, 0.0) / np.sqrt(own_df)[..., None, :]
    own = (parts**2).sum(-2)
    df, common = own_df.mean(-1, keepdims=True), own.mean(-1, keepdims=True)
    with np.errstate(divide="ignore"):
        # 1 where chance alone makes the variances differ, which has a squared coefficient of variation of 2 / df.
        scatter = own.var(-1, ddof=1, keepdims=True) / common**2 / (2 / df)
        weight = np.minimum(2 * (own_df - 1) / scatter**2, (independent - 1) / 2 * own_df)
    variances = (weight * common + own_df * own) / (weight + own_df)
    return variances, np.minimum(weight + own_df, np.maximum(_joint_df(parts, own, df, independent), own_df))


def _joint_df(parts: Array, own: Array, df: Array, independent: int) -> Array:
    """Degrees of freedom of the mean variance of differences that share a sampler, and so are correlated.

    As in an analysis of variance of repeated measures (Huynh & Feldt, J. Educ. Stat. 1, 1976).
    """
    products = parts @ parts.swapaxes(-1, -2)
    effective = own.sum(-1) ** 2 / (products**2).sum((-1, -2))  # m, or 1 if all pairs do the same in each seed
    effective = effective[..., None]
    with np.errstate(divide="ignore"):
        unbiased = np.where(effective < df, ((df + 1) * effective - 2) / np.abs(df - effective), independent)
    joint: Array = np.minimum(unbiased, independent) * df
    return joint


def _mean_of_replicates(row: Array) -> Array:
    """(seeds,) of (seeds,) or (seeds, replicates); NaN if there is none."""
    if row.ndim == 1:
        return row
    counts = (~np.isnan(row)).sum(axis=1)
    mean: Array = np.where(counts > 0, np.nansum(row, axis=1) / np.maximum(counts, 1), np.nan)
    return mean
