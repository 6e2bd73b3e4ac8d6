"""How many labels a sampler needs to reach a value, compared with Random."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alharness.api.records import FULL_DATA
from alharness.text.numbers import percent

from .basis import seed_list
from .statistics import mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from numpy.typing import NDArray

    from .run import RunResults

    Array = NDArray[np.float64]

RESAMPLES = 9999
SHARE = 0.95
"""Of the way from Random's first value to that of a model trained with all labels."""
ENOUGH_FOR_INTERVAL = 5
"""Seeds from which on there is an interval: three have 27 resamples in all, and it would miss one time in four."""
SEED = 20_240
"""Of the generator of the bootstrap: the same results give the same report."""


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Labels that a sampler needs until its mean curve reaches a target, and how many fewer than Random.

    If a number of labels is infinite, the target was not reached.

    Attributes:
        n: seeds of both.
        needed: labels of the sampler.
        reference: labels of Random.
        reached: seeds whose own curve reaches the target.
        low: lower end of the 95 % confidence interval of the saving, -inf if the sampler may never reach it.
        high: its upper end, inf if Random may never reach it.
    """

    n: int
    needed: float
    reference: float
    reached: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """Labels saved; NaN if neither reaches the target."""
        return self.reference - self.needed if math.isfinite(max(self.reference, self.needed)) else math.nan

    @property
    def sure(self) -> bool:
        """Whether the interval excludes that nothing is saved. It speaks of one sampler alone."""
        return self.low > 0 or self.high < 0


def labels_to(target: Array | float, labeled: Sequence[int], curves: Array, *, lower_is_better: bool) -> Array:
    """Labels at which curves (..., cycles) first reach the target, between cycles on a straight line; inf: never.

    A curve that reaches it at cycle 0 needs at most that many labels, which is what is returned.
    """
    x = np.asarray(labeled, float)
    sign = -1.0 if lower_is_better else 1.0
    gap = sign * (np.asarray(curves, float) - np.asarray(target, float)[..., None])
    met = gap >= 0
    first = met.argmax(axis=-1)
    before = np.maximum(first - 1, 0)
    at, ahead = (np.take_along_axis(gap, i[..., None], -1)[..., 0] for i in (first, before))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(first > 0, -ahead / (at - ahead), 0.0)
    return np.where(met.any(axis=-1), x[before] + share * (x[first] - x[before]), np.inf)


def targets(results: RunResults, random: str, wanted: Iterable[float] = ()) -> list[tuple[float | None, str]]:
    """Values to be reached, and what they are.

    First Random's own mean final value, as None; then most of the way from Random's first model to one with all
    labels, if that was trained; then those that are wanted.
    """
    found: list[tuple[float | None, str]] = [(None, "")]
    if seeds := results.basis.shared(random, FULL_DATA):
        first = mean(results.curves(random, seeds)[:, 0]).value
        last = mean(results.curves(FULL_DATA, seeds)[:, -1]).value
        way = f"{percent(SHARE, 0)} of the way from the first model to one with all labels"
        found.append((first + SHARE * (last - first), f"{way}, over {seed_list(seeds)}"))
    return found + [(value, "as asked") for value in wanted]


def saving(
    results: RunResults,
    sampler: str,
    random: str,
    target: float | None = None,
    seeds: Collection[int] | None = None,
) -> Saving:
    """Labels that a sampler saves against Random, on mean curves over the seeds that count for both.

    The interval comes from a bootstrap over seeds, paired: every resample has its own mean curves. Its
    percentiles are those that make up for so few seeds (Hesterberg, The American Statistician 69, 2015, section
    5.3); below five seeds there is none, nor if seeds stop: how many there are then depends on what they show.

    Args:
        results: a run.
        sampler: label of the sampler.
        random: label of Random.
        target: what is to be reached; None for Random's own mean final value, drawn again with every resample.
        seeds: which of them to take; None for all.
    """
    ours, theirs = results.pair(sampler, random, seeds)
    n = len(ours)
    if n == 0:
        return Saving(n=0, needed=math.inf, reference=math.inf, reached=0, low=-math.inf, high=math.inf)

    def needed(curves: Array, goal: Array | float) -> Array:
        return labels_to(goal, results.labeled, curves, lower_is_better=results.lower_is_better)

    def both(a: Array, b: Array) -> tuple[Array, Array]:
        goal = b[..., -1] if target is None else target
        return needed(a, goal), needed(b, goal)

    mine, reference = both(ours.mean(0), theirs.mean(0))
    single = needed(ours, theirs[:, -1].mean() if target is None else target)
    low, high = -math.inf, math.inf
    if n >= ENOUGH_FOR_INTERVAL and not results.run.stopping:
        rows = np.random.default_rng(SEED).integers(0, n, (RESAMPLES, n))
        low, high = _interval(*both(ours[rows].mean(1), theirs[rows].mean(1)), n)
    return Saving(
        n=n,
        needed=float(mine),
        reference=float(reference),
        reached=int(np.isfinite(single).sum()),
        low=low,
        high=high,
    )


def _interval(ours: Array, theirs: Array, n: int) -> tuple[float, float]:
    """Percentiles of the saving; if both never reach the target, nothing is saved."""
    from scipy import special

    with np.errstate(invalid="ignore"):
        saved = np.where(np.isinf(ours) & np.isinf(theirs), 0.0, theirs - ours)
    level = float(special.ndtr(-math.sqrt(n / (n - 1)) * special.stdtrit(n - 1, 0.975)))
    # Order statistics and nothing between them: infinite values have no mean.
    saved.sort()
    index = max(int(level * (len(saved) + 1)) - 1, 0)
    return float(saved[index]), float(saved[len(saved) - 1 - index])
