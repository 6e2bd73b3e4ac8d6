"""Comparisons that are looked at again and again while seeds finish, and that stop when they are decided.

Seeds run in blocks. After each block every open comparison is looked at: a paired t-test on all seeds so far. To
look often costs boundaries that are wider than that of one test. It is laid down before the first look how much
of the error each look may spend (`spent`), and the t-statistic of samplers that do not differ passes the boundary
of a look for the first time with just this probability. That is computed exactly, for few seeds as well.
Comparisons share the error equally (Bonferroni): with the confidence that was asked for, all intervals of all
looks hold together.

Nothing here knows in which order cells ran: `replay` makes the same looks again from what is finished.

Sources: Jennison and Turnbull, Biometrika 78 (1991), 133-141, for exact boundaries of repeated t-tests; Lan and
DeMets, Biometrika 70 (1983), 659-663, for spending the error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

import numpy as np

from .statistics import Difference, difference

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from alharness.api.records import Stopping

    Array = NDArray[np.float64]

HALF = 10
"""Seeds at which half of the error is spent. So differences of one to three standard deviations need few seeds,
and smaller ones not many more (`studies/statistics/sequential.py`)."""
STEP, FARTHEST = 0.02, 7.0
"""Steps and end of the grid on which the statistic's distribution is followed, in standard normal deviates."""
DRAWS = np.arange(0.025, FARTHEST, 0.05)
"""Values of one more difference, of either sign, in standard normal deviates, and their `WEIGHTS`."""
WEIGHTS = np.exp(-(DRAWS**2) / 2) / np.exp(-(DRAWS**2) / 2).sum()


Pair = tuple[str, str]
Verdict = Literal["better", "worse", "equal", ""]
"""`equal`: there is no relevant difference, the interval is within the margin; empty: undecided."""


@dataclass(frozen=True, kw_only=True)
class Judged(Difference):
    """A difference with the interval that belongs to seeds that stop. It has no p: the interval decides.

    Attributes:
        verdict: of the first sampler.
    """

    verdict: Verdict = ""

    @classmethod
    def of(cls, found: Difference, half: float = math.nan) -> Self:
        """A difference with half the width of its interval; nothing is decided."""
        nothing = {"half": half, "p": math.nan, "adjusted": math.nan, "p_ranks": math.nan}
        return cls(**(vars(found) | nothing))

    @property
    def significant(self) -> bool:
        """Whether a difference is shown."""
        return self.verdict in ("better", "worse")

    @property
    def detectable(self) -> float:
        """Not known: that depends on when the seeds stop."""
        return math.nan

    @property
    def turned(self) -> Judged:
        """The same of the second sampler."""
        other: Verdict = {"better": "worse", "worse": "better"}.get(self.verdict, self.verdict)  # type: ignore[assignment]
        return replace(self, value=-self.value, verdict=other)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the looks at one comparison have shown so far.

    Attributes:
        seeds: those of the look that decided, or of the last look; none before the first.
        difference: over these seeds.
    """

    seeds: tuple[int, ...] = ()
    difference: Judged = field(default_factory=lambda: Judged.of(difference([], [], lower_is_better=False)))

    @property
    def verdict(self) -> Verdict:
        """Of the first sampler; empty if it is undecided."""
        return self.difference.verdict


@dataclass(frozen=True, kw_only=True)
class Replay:
    """All looks, made again.

    Attributes:
        decisions: (one, other) -> what is known of the comparison, in the order of the spec.
        looked: seeds of the last look; 0 before the first.
        needed: label -> the seeds that it needed so far, and those that it needs for the next look.
        over: there will be no further look: all is decided, or there are no more seeds.
    """

    decisions: Mapping[Pair, Decision]
    looked: int
    needed: Mapping[str, tuple[int, ...]]
    over: bool

    @property
    def open(self) -> tuple[Pair, ...]:
        """Comparisons that are undecided."""
        return tuple(pair for pair, found in self.decisions.items() if not found.verdict)


def replay(
    rule: Stopping,
    seeds: Sequence[int],
    pairs: Sequence[Pair],
    values: Mapping[str, Mapping[int, float]],
    pending: Mapping[str, Collection[int]],
    *,
    lower_is_better: bool,
) -> Replay:
    """Make all looks that can be made.

    A look waits for every cell that it needs, unless that has failed: its seed is then missing in the comparison.

    Args:
        rule: when to look, and what decides.
        seeds: all that may run, in their order.
        pairs: the samplers that are compared.
        values: label -> seed -> what is compared, of cells that count.
        pending: label -> seeds of cells that have neither finished nor failed.
        lower_is_better: whether smaller values are better.
    """
    level = (1 - rule.confidence) / max(1, len(pairs))
    labels = dict.fromkeys([*values, *pending, *(label for pair in pairs for label in pair)])
    needed = dict.fromkeys(labels, 0)
    decisions = dict.fromkeys(pairs, Decision())
    sizes: dict[Pair, tuple[int, ...]] = dict.fromkeys(pairs, ())
    looked = 0
    for number in looks(rule, len(seeds)):
        undecided = [pair for pair, found in decisions.items() if not found.verdict]
        if looked and not undecided:
            break
        at_work = {label for pair in undecided for label in pair} if looked else set(labels)
        needed |= dict.fromkeys(at_work, number)
        if any(seed in pending.get(label, ()) for label in at_work for seed in seeds[:number]):
            return _replay(decisions, looked, needed, seeds, over=False)
        looked = number
        for pair in undecided:
            one, other = (values.get(label, {}) for label in pair)
            shared = tuple(seed for seed in seeds[:number] if seed in one and seed in other)
            if len(shared) < max(rule.at_least, 1 + max(sizes[pair], default=0)):
                continue  # nothing new, or not enough
            sizes[pair] += (len(shared),)
            found = difference(
                [one[seed] for seed in shared], [other[seed] for seed in shared], lower_is_better=lower_is_better
            )
            half = critical(sizes[pair], level) * found.sd / math.sqrt(found.n)
            judged = Judged.of(found, half)
            decisions[pair] = Decision(
                seeds=shared, difference=replace(judged, verdict=_verdict(judged, rule.margin))
            )
    return _replay(decisions, looked, needed, seeds, over=True)


def looks(rule: Stopping, most: int) -> Iterator[int]:
    """Numbers of seeds at which is looked; the last is all of them."""
    yield from range(rule.at_least, most, rule.block)
    yield most


def critical(sizes: tuple[int, ...], level: float) -> float:
    """The t-statistic at which the last of these looks decides.

    Args:
        sizes: number of differences at each look so far, rising.
        level: the error of the comparison, over all looks that there may ever be.

    >>> [round(critical(sizes, 0.05), 2) for sizes in [(5,), (5, 10), (5, 10, 15)]]
    [3.96, 3.22, 3.05]
    """
    for last in range(1, len(sizes) + 1):  # each is known when the next is asked for
        found = _look(sizes[:last], level)
    return found.boundary


def spent(size: int) -> float:
    """The share of the error that looks at up to so many differences may spend. All looks there can be spend 1.

    It does not depend on the number of seeds that may run at most, so that this may be raised when it was too low.
    """
    return size / (size + HALF)


class _Look(NamedTuple):
    """A boundary, and how the statistic is distributed within it, if there is no difference.

    The statistic is u = Σd / √Σd², which grows with t. One more difference d makes of it (u + w) / √(1 + w²) with
    w = d / √Σd², and √n w has Student's t distribution with n degrees of freedom whatever happened before.

    Attributes:
        boundary: the t-statistic that decides.
        places: values of u from 0 to the boundary.
        masses: how likely |u| is below each, with no look having decided before.
    """

    boundary: float
    places: Array
    masses: Array


@lru_cache(maxsize=4096)
def _look(sizes: tuple[int, ...], level: float) -> _Look:
    from scipy import special

    *earlier, size = sizes
    error = level * (spent(size) - (spent(earlier[-1]) if earlier else 0.0))
    if earlier:
        _, places, masses = _look(sizes[:-1], level)
        for before in range(earlier[-1], size - 1):
            places, masses = _spread(FARTHEST, before + 1, partial(_follow, places, masses, before))
        inside: Callable[[Array], Array] = partial(_follow, places, masses, size - 1)
        bound = _root(lambda bound: masses[-1] - float(inside(np.array([bound]))[0]) - error)
    else:
        inside, bound = _normal, float(-special.ndtri(error / 2))
    return _Look(float(-special.stdtrit(size - 1, special.ndtr(-bound))), *_spread(bound, size, inside))


def _spread(bound: float, size: int, inside: Callable[[Array], Array]) -> tuple[Array, Array]:
    """Places up to a bound, and masses below them; `inside` gives these for standard normal deviates."""
    deviates = np.linspace(0.0, bound, math.ceil(bound / STEP) + 1)
    return _statistic(deviates, size), inside(deviates)


def _normal(deviates: Array) -> Array:
    from scipy import special

    found: Array = 1 - 2 * special.ndtr(-deviates)
    return found


def _statistic(deviates: Array, size: int) -> Array:
    """The statistic u of so many differences that is as far out as these standard normal deviates."""
    from scipy import special

    t = -special.stdtrit(size - 1.0, special.ndtr(-deviates))
    statistic: Array = t * np.sqrt(size / (size - 1 + t * t))
    return statistic


def _follow(places: Array, masses: Array, size: int, deviates: Array) -> Array:
    """Masses below the statistics that are as far out as these deviates, with one more than `size` differences."""
    from scipy import special

    w = -special.stdtrit(float(size), special.ndtr(-DRAWS))[:, None] / math.sqrt(size)
    bounds = _statistic(deviates, size + 1) * np.sqrt(1 + w * w)
    # |(u + w) / √(1 + w²)| is below a bound for u from -bounds - w to bounds - w; of -w it is the mirror image.
    below, above = bounds - w, bounds + w
    mass = np.interp(above, places, masses) + np.sign(below) * np.interp(np.abs(below), places, masses)
    found: Array = WEIGHTS @ mass / 2
    return found


def _root(falling: Callable[[float], float]) -> float:
    low, high = 0.0, FARTHEST
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return high


def _verdict(found: Difference, margin: float | None) -> Verdict:
    if margin is not None and -margin <= found.low and found.high <= margin:
        return "equal"
    if found.sd > 0 and not found.low <= 0 <= found.high:
        return "better" if found.value > 0 else "worse"
    return ""


def _replay(
    decisions: Mapping[Pair, Decision],
    looked: int,
    needed: Mapping[str, int],
    seeds: Sequence[int],
    *,
    over: bool,
) -> Replay:
    return Replay(
        decisions=decisions,
        looked=looked,
        needed={label: tuple(seeds[:number]) for label, number in needed.items()},
        over=over,
    )
