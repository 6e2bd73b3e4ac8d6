"""How much quicker a sampler is than Random, along the whole curve: one factor for each setting, and over all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .aggregate import Estimate, bounds, resampled_weights
from .efficiency import ENOUGH_FOR_INTERVAL, labels_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .run import RunResults

    Array = NDArray[np.float64]

VALUES = 32
"""At so many values of the metric labels are compared."""
RESAMPLES = 999


def speed_up(labeled: Sequence[int], ours: Array, random: Array, *, lower_is_better: bool) -> Array:
    """(...): labels that Random needs divided by those that a sampler needs, over all values that both reach.

    It is 2 if the sampler needs half of Random's labels, and 1 for Random itself. Both sums are over values from
    the better one of the two first values to the worse one of the two best values. NaN if there are none.

    Args:
        labeled: labels at each cycle.
        ours: (..., cycles) curves of the sampler.
        random: (..., cycles) curves of Random.
        lower_is_better: whether smaller values are better.
    """
    sign = -1.0 if lower_is_better else 1.0
    first = sign * np.stack([ours[..., 0], random[..., 0]]).astype(float)
    best = (sign * np.stack([ours, random])).max(axis=-1)
    low, high = first.max(axis=0), best.min(axis=0)
    share = (np.arange(VALUES) + 0.5) / VALUES
    targets = sign * (low[..., None] + (high - low)[..., None] * share)
    needed = [
        labels_to(targets, labeled, curves[..., None, :], lower_is_better=lower_is_better).sum(axis=-1)
        for curves in (random, ours)
    ]
    with np.errstate(invalid="ignore"):
        return np.where(high > low, needed[0] / needed[1], np.nan)


def speed_ups(
    runs: Mapping[str, RunResults], seeds: Mapping[str, Sequence[int]], label: str, random: str
) -> tuple[Mapping[str, Estimate], Estimate]:
    """The factor of a sampler in each setting, on mean curves over these seeds; and the geometric mean of all.

    Intervals are from resamples of the seeds of each setting, paired with Random's; there are none below five
    seeds in a setting, nor if seeds stop when they are decided. A setting in which the curves reach no value in
    common has no factor, and the mean over settings has none either.
    """
    counts = [len(found) for found in seeds.values()]
    weights, start = resampled_weights(counts, RESAMPLES) * len(counts), 0
    found: dict[str, Estimate] = {}
    logs, drawn = [], []
    for (name, own), n in zip(seeds.items(), counts, strict=True):
        run = runs[name]
        curves = run.curves(label, own), run.curves(random, own)
        drawn_weights = weights[:, start : (start := start + n)]
        value = speed_up(run.labeled, *(c.mean(0) for c in curves), lower_is_better=run.lower_is_better)
        resampled = speed_up(
            run.labeled, *(drawn_weights @ c for c in curves), lower_is_better=run.lower_is_better
        )
        found[name] = _estimate(float(value), resampled, [n], fixed=not run.run.stopping)
        logs.append(np.log(value))
        drawn.append(np.log(resampled))
    fixed = not any(runs[name].run.stopping for name in seeds)
    over = _estimate(float(np.exp(np.mean(logs))), np.exp(np.mean(drawn, axis=0)), counts, fixed=fixed)
    return found, over


def _estimate(value: float, drawn: Array, counts: Sequence[int], *, fixed: bool) -> Estimate:
    if not fixed or min(counts) < ENOUGH_FOR_INTERVAL or np.isnan(drawn).any():
        return Estimate(value=value)
    low, high = bounds(drawn, counts)
    return Estimate(value=value, low=float(low), high=float(high))
