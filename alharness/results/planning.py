"""How many seeds would answer what a run leaves open, from the noise that it has measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from alharness.api.records import FULL_DATA
from alharness.errors import RunError

from .basis import seed_list
from .blocks import compare
from .statistics import ENOUGH, corrected, mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from alharness.api.plan import Statistics

    from .run import RunResults
    from .statistics import Difference

    Array = NDArray[np.float64]

MOST = 2_000
"""Seeds beyond which a number is of no use."""
SHARE, OF_RANDOM = 0.1, 0.01
"""The margin that is taken if none is named: of the way from Random to all labels, or of Random's area."""
EXPERIMENTS = 20
"""That are simulated to say what seeds can show at all."""
CAUTION = 0.2
"""Probability with which the noise is larger than a number of seeds that must suffice takes it to be (Browne,
Stat. Med. 14, 1995, 1933-1940)."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a comparison with Random needs.

    Attributes:
        label: the other sampler.
        difference: so far; larger is better for it.
        margin: a difference within it does not matter.
        show: seeds that show a difference as large as this one in four of five experiments; None beyond `MOST`.
        decide: seeds after which the interval excludes 0 or is within the margin, whatever the difference is;
            None beyond `MOST`.
    """

    label: str
    difference: Difference
    margin: float
    show: int | None
    decide: int | None

    @property
    def verdict(self) -> str:
        """What is known: `better`, `worse`, `no relevant difference`; or `open`."""
        if self.difference.significant:
            return "better" if self.difference.better else "worse"
        within = max(abs(self.difference.low), abs(self.difference.high)) <= self.margin
        return "no relevant difference" if within and self.difference.n >= ENOUGH else "open"


@dataclass(frozen=True, kw_only=True)
class Planning:
    """What a run has shown so far, and what it takes to know the rest.

    Attributes:
        seeds: over which its samplers are compared.
        random: label of Random.
        margin: a difference within it does not matter.
        about: what the margin is, in words.
        needs: of each sampler that has these seeds.
        left_out: sentences on samplers that have not.
    """

    seeds: tuple[int, ...]
    random: str
    margin: float
    about: str
    needs: tuple[Need, ...]
    left_out: tuple[str, ...] = ()

    @property
    def open(self) -> tuple[Need, ...]:
        """The comparisons that are not decided."""
        return tuple(need for need in self.needs if need.verdict == "open")

    @property
    def decide(self) -> int | None:
        """Seeds that decide all of these; None beyond `MOST`, and if none is open."""
        numbers = [need.decide for need in self.open]
        return max((n for n in numbers if n is not None), default=None) if None not in numbers else None


def plan_seeds(results: RunResults, margin: float | None = None) -> Planning:
    """Say how many seeds each comparison with Random needs, by the area under the curve.

    Args:
        results: a run.
        margin: a difference within it does not matter, in units of the metric; None for a tenth of the way from
            Random's area to a model with all labels if the run has it, otherwise a hundredth of Random's area.

    Raises:
        RunError: nothing is compared with Random over enough seeds, or the margin is no positive number.
    """
    random = results.random
    if random is None:
        raise RunError(f"{results.run.folder}: has no finished cell of Random, with which samplers are compared")
    if margin is not None and not 0 < margin < math.inf:
        raise RunError(f"the margin is a positive number in units of {results.metric}, but it is {margin}")
    first = results.basis.seed_sets[0]
    rivals = [label for label in first.labels if label not in (random, *results.run.controls)]
    if random not in first.labels or not rivals or len(first.seeds) < ENOUGH:
        raise RunError(
            f"{results.run.folder}: says nothing about noise before {ENOUGH} seeds of Random and of another "
            f"sampler are finished; these are {seed_list(first.seeds)} of {', '.join(first.labels)}"
        )
    about = "as asked"
    if margin is None:
        margin, about = _margin(results, first.seeds)
    at = _differences_at(results, first.seeds, rivals, random)
    now = at(len(first.seeds))
    return Planning(
        seeds=first.seeds,
        random=random,
        margin=margin,
        about=about,
        needs=tuple(_need(label, now[label], margin, at) for label in rivals),
        left_out=tuple(f"{x} lacks seeds that the others have" for x in results.labels if x not in first.labels),
    )


def can_show(results: RunResults, n: int) -> tuple[float, float] | None:
    """The smallest and the largest difference to Random that n seeds show in four of five experiments.

    They differ by sampler, if the noise does. None if the run says nothing about it, see `plan_seeds`.
    """
    random, first = results.random, next(iter(results.basis.seed_sets), None)
    if random is None or first is None or random not in first.labels or min(len(first.seeds), n) < ENOUGH:
        return None
    rivals = [label for label in first.labels if label not in (random, *results.run.controls)]
    found = _differences_at(results, first.seeds, rivals, random)(max(n, len(first.seeds)))
    sizes = [one.detectable for one in found.values() if not math.isnan(one.p)]
    return (min(sizes), max(sizes)) if sizes else None


def can_show_at_all(samplers: int, replicates: int, n: int, method: Statistics) -> float:
    """The same before anything is known of the noise: in standard deviations of a sampler within a seed.

    Args:
        samplers: those that are compared with Random.
        replicates: of Random.
        n: seeds.
        method: as in a spec.
    """
    draws = np.random.default_rng(0).normal(size=(EXPERIMENTS, samplers + 1, n))
    draws[:, 0] /= math.sqrt(replicates)
    labels = [*map(str, range(samplers + 1))]
    pairs = [(label, "0") for label in labels[1:]]
    found = [
        one.detectable
        for rows in draws
        for one in corrected(
            compare(dict(zip(labels, rows, strict=True)), pairs, method, lower_is_better=False)
        ).values()
    ]
    return float(np.mean(found))


def _differences_at(
    results: RunResults, seeds: tuple[int, ...], rivals: Sequence[str], random: str
) -> Callable[[int], dict[str, Difference]]:
    """What so many seeds would show of each sampler, if all of them were like those that are there."""
    areas = {label: results.areas_of(label, seeds) for label in (*rivals, random)}

    @cache
    def at(n: int) -> dict[str, Difference]:
        rows = areas if n == len(seeds) else as_of(areas, n)
        found = corrected(results.compare(rows, [(label, random) for label in rivals]))
        return {label: one for (label, _), one in found.items()}

    return at


def as_of(rows: Mapping[str, Array], n: int) -> dict[str, Array]:
    """Rows of n values that have the means, variances and covariances of these, which are fewer."""
    values = np.stack([*rows.values()])
    centers = values.mean(axis=1, keepdims=True)
    sizes, axes = np.linalg.eigh(np.cov(values))
    kept = sizes > sizes.max(initial=0.0) * 1e-12
    # Columns that are orthogonal to each other and to a constant; which ones does not matter.
    draws = np.random.default_rng(0).normal(size=(n, kept.sum()))
    basis, _ = np.linalg.qr(draws - draws.mean(axis=0))
    spread = (axes[:, kept] * np.sqrt(sizes[kept] * (n - 1))) @ basis.T
    return dict(zip(rows, centers + spread, strict=True))


def _need(label: str, now: Difference, margin: float, at: Callable[[int], dict[str, Difference]]) -> Need:
    if math.isnan(now.p):  # equal in all seeds: more of them show nothing else
        return Need(label=label, difference=now, margin=margin, show=None, decide=None)
    from scipy.special import gammaincinv

    caution = math.sqrt(now.df / (2 * gammaincinv(now.df / 2, CAUTION)))
    return Need(
        label=label,
        difference=now,
        margin=margin,
        show=_fewest(now.n, lambda n: at(n)[label].detectable <= abs(now.value)),
        decide=_fewest(now.n, lambda n: at(n)[label].half * caution <= margin / 2),
    )


def _fewest(start: int, enough: Callable[[int], bool]) -> int | None:
    """The fewest seeds that are enough, from so many on; None beyond `MOST`."""
    low, high = start, start
    while not enough(high):
        if high == MOST:
            return None
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _margin(results: RunResults, seeds: tuple[int, ...]) -> tuple[float, str]:
    random = str(results.random)
    area = mean(results.areas_of(random, seeds)).value
    if shared := results.basis.shared(random, FULL_DATA):
        gap = abs(mean(results.curves(FULL_DATA, shared)[:, -1]).value - area)
        if gap > 0:
            return _rounded(SHARE * gap), f"{SHARE:.0%} of the way from {random} to all labels"
    return _rounded(OF_RANDOM * abs(area) or 1e-3), f"{OF_RANDOM:.0%} of the area of {random}"


def _rounded(value: float) -> float:
    return float(f"{value:.1e}")
