"""How long the rest of a run will take, from what its finished cycles cost.

A cycle trains, evaluates and queries. Training grows with the labels and is much the same for every sampler;
the cost of a query is its sampler's own. What was measured at a number of labels is taken as it is, and what
was not is read off a line. Nothing here knows a clock: seconds come in and go out.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alharness.api.records import CycleRecord

LATEST = 2 / 3
"""Share of the latest measurement in an expectation."""
MEASURED = ("train_seconds", "evaluate_seconds", "query_seconds")


@dataclass
class Recent:
    """A mean of values that come one by one. The latest counts most: machines become slower and quicker."""

    value: float = 0.0
    n: int = 0

    def add(self, value: float) -> None:
        """Take one more value in."""
        self.value += (value - self.value) * (LATEST if self.n else 1)
        self.n += 1


@dataclass(frozen=True, kw_only=True)
class Rest:
    """Cycles of one cell that are still to come.

    Attributes:
        label: the sampler's.
        seed: the cell's.
        labeled: labels at each of these cycles, in order.
        first: number of the first of them in the cell.
        reference: it queries nothing, and shares its training with no other cell.
    """

    label: str
    seed: int
    labeled: tuple[int, ...]
    first: int = 0
    reference: bool = False


@dataclass
class Costs:
    """Seconds of finished cycles, by what they depend on."""

    training: dict[int, Recent] = field(default_factory=lambda: defaultdict(Recent))
    evaluation: Recent = field(default_factory=Recent)
    queries: dict[str, dict[int, Recent]] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether there is anything to go by."""
        return self.evaluation.n > 0

    def add(self, label: str, cycle: CycleRecord) -> None:
        """Take in a finished cycle of the sampler with this label."""
        cost = cycle.cost
        self.evaluation.add(cost.get("evaluate_seconds", 0.0))
        reused = cost.get("train_reused") and cycle.labeled in self.training  # measured, and taken in, before
        if "train_seconds" in cost and not reused:
            self.training[cycle.labeled].add(cost["train_seconds"])
        if "query_seconds" in cost:
            self.queries.setdefault(label, defaultdict(Recent))[cycle.labeled].add(cost["query_seconds"])

    def train(self, labeled: int) -> float:
        """Expected seconds of a training on this many labels."""
        if labeled in self.training:
            return self.training[labeled].value
        return extrapolate({n: mean.value for n, mean in self.training.items()}, labeled)

    def query(self, label: str, labeled: int) -> float:
        """Expected seconds of a query; of a sampler that has not queried yet, those of the others on average."""
        if label in self.queries:
            return _nearest(self.queries[label], labeled)
        others = [_nearest(known, labeled) for known in self.queries.values()]
        return sum(others) / len(others) if others else 0.0

    def cycles(self, rest: Rest, *, trained: bool) -> list[float]:
        """Expected seconds of each cycle of this rest.

        Args:
            rest: the cycles.
            trained: whether the first fit of the seed, which its cells share, is there already.
        """
        last = len(rest.labeled) - 1
        found = []
        for index, labeled in enumerate(rest.labeled):
            shared = trained and not rest.reference and rest.first + index == 0
            seconds = self.evaluation.value if self.evaluation.n else 0.0
            seconds += 0.0 if shared else self.train(labeled)
            seconds += 0.0 if rest.reference or index == last else self.query(rest.label, labeled)
            found.append(seconds)
        return found


def spent(cycle: CycleRecord) -> float:
    """Seconds that this cycle took itself: a fit that it found ready cost it nothing."""
    cost = cycle.cost
    reused = cost.get("train_seconds", 0.0) if cost.get("train_reused") else 0.0
    return sum(cost.get(name, 0.0) for name in MEASURED) - reused


def extrapolate(known: Mapping[int, float], at: int) -> float:
    """Seconds of a training on `at` labels, from those on other numbers of labels; 0 if none is known.

    A line with neither a negative start nor a negative slope, by least squares of relative errors. From one point
    alone, seconds are taken to grow with the square root of the labels: halfway, in ratios, between a training
    that only has fixed costs and one that has none.
    """
    points = [(n, seconds) for n, seconds in known.items() if n > 0]
    if not points:
        return 0.0
    if len(points) == 1:
        n, seconds = points[0]
        return seconds * math.sqrt(at / n)
    start, slope = _line(points)
    return start + slope * at


def time_left(
    costs: Costs, cells: Sequence[Rest], trained: Iterable[int], workers: int, done: Sequence[float] = ()
) -> float:
    """Expected seconds until all cells are done, by workers that take one after another.

    Args:
        costs: of what is finished.
        cells: what is left of each, in the order in which they begin; those at work come first.
        trained: seeds whose first fit is there.
        workers: processes that run cells.
        done: seconds since the cycles of the cells at work began; what is over the expected counts no more.
    """
    seeds = set(trained)
    known: dict[tuple[str, int, bool, bool], list[float]] = {}  # of what differs in its seed alone
    free = [0.0] * max(1, min(workers, len(cells)))
    for rest, already in zip(cells, chain(done, repeat(0.0)), strict=False):
        ready = rest.seed in seeds
        key = (rest.label, rest.first, rest.reference, ready)
        if key not in known:
            known[key] = costs.cycles(rest, trained=ready)
        first, *others = known[key]
        heapq.heapreplace(free, free[0] + max(0.0, first - already) + sum(others))
        if not rest.reference:
            seeds.add(rest.seed)
    return max(free)


def in_words(seconds: float) -> str:
    """A span as people say it: `about 12 min`."""
    if seconds < 5:
        return "some seconds"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} min"
    hours, minutes = divmod(round(seconds / 600) * 10, 60)
    return f"about {hours} h {minutes} min" if hours < 24 and minutes else f"about {hours:,} h"


def _nearest(known: Mapping[int, Recent], labeled: int) -> float:
    return known[min(known, key=lambda n: abs(n - labeled))].value


def _line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Start and slope, neither negative, with the least relative errors."""
    weights = [1 / max(seconds, 1e-9) ** 2 for _, seconds in points]
    total = sum(weights)
    x = sum(w * n for w, (n, _) in zip(weights, points, strict=True)) / total
    y = sum(w * s for w, (_, s) in zip(weights, points, strict=True)) / total
    spread = sum(w * (n - x) ** 2 for w, (n, _) in zip(weights, points, strict=True))
    slope = sum(w * (n - x) * (s - y) for w, (n, s) in zip(weights, points, strict=True)) / spread
    if slope <= 0:
        return y, 0.0
    if y - slope * x < 0:
        through = sum(w * n * s for w, (n, s) in zip(weights, points, strict=True))
        return 0.0, through / sum(w * n * n for w, (n, _) in zip(weights, points, strict=True))
    return y - slope * x, slope
