"""What cycles cost: seconds expected of those to come, from those that are finished.

A cycle trains, evaluates and queries. Training grows with the labels and is much the same for every sampler;
the cost of a query is its sampler's own. What was measured at a number of labels is taken as it is, and what
was not is read off a line.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from alharness.api.records import Cell, CycleRecord

LATEST = 2 / 3
"""Share of the latest measurement in an expectation."""
MEASURED = ("train_seconds", "evaluate_seconds", "query_seconds")


@dataclass
class Recent:
    """A mean of values that come one by one. The latest counts most: machines become slower and quicker.

    Values of one source, such as models that were trained together, weigh as one, which is their mean.
    """

    value: float = 0.0
    n: int = 0
    source: object = None
    before: float = 0.0
    latest: list[float] = field(default_factory=list)

    def add(self, value: float, source: object = None) -> None:
        """Take one more value in."""
        if source is None or source != self.source:
            self.source, self.before, self.latest = source, self.value, []
            self.n += 1
        self.latest.append(value)
        mean = sum(self.latest) / len(self.latest)
        self.value = mean if self.n == 1 else self.before + (mean - self.before) * LATEST


@dataclass(frozen=True)
class Rest:
    """Cycles of one cell that are still to come.

    Attributes:
        cell: whose.
        labeled: labels at each of these cycles, in order.
        first: number of the first of them in the cell.
    """

    cell: Cell
    labeled: tuple[int, ...]
    first: int = 0


@dataclass(frozen=True)
class Together:
    """What is left of a group: its cells go through their cycles side by side.

    Attributes:
        rests: of its cells.
        ended: names of the cells that have ended the present round.
        already: seconds of the round that have passed, and that no cell has measured yet.
    """

    rests: Sequence[Rest]
    ended: frozenset[str] = frozenset()
    already: float = 0.0

    def sizes(self, trained: Collection[int], *, reference: bool) -> tuple[int, int]:
        """How many models of samplers, or of references, are trained together in this round, and in later ones."""
        alike = [rest for rest in self.rests if rest.cell.reference == reference]
        present = [rest for rest in alike if rest.cell.name not in self.ended]
        shared = [rest.cell.seed for rest in present if not (reference or rest.first)]
        new = {seed for seed in shared if seed not in trained}
        return len(present) - len(shared) + len(new), len(alike)


@dataclass
class Costs:
    """Seconds of finished cycles, by what they depend on."""

    training: dict[int, Recent] = field(default_factory=lambda: defaultdict(Recent))  # of a model by itself
    stacked: bool = False
    evaluation: Recent = field(default_factory=Recent)
    queries: dict[str, dict[int, Recent]] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether there is anything to go by."""
        return self.evaluation.n > 0

    def add(self, label: str, cycle: CycleRecord, of: object = None) -> None:
        """Take in a finished cycle of the sampler with this label; `of` is the round in which it was trained."""
        cost = cycle.cost
        self.evaluation.add(cost.get("evaluate_seconds", 0.0))
        reused = cost.get("train_reused") and cycle.labeled in self.training  # measured, and taken in, before
        if "train_seconds" in cost and not reused:
            size = cost.get("train_stacked", 0)
            self.stacked = size > 0
            self.training[cycle.labeled].add(cost["train_seconds"] / (share(size) if size else 1), of)
        if "query_seconds" in cost:
            self.queries.setdefault(label, defaultdict(Recent))[cycle.labeled].add(cost["query_seconds"])

    def train(self, labeled: int, size: int = 1) -> float:
        """Expected seconds of a training on this many labels, in a stack of this size if trainings are stacked."""
        part = share(max(1, size)) if self.stacked else 1
        if labeled in self.training:
            return self.training[labeled].value * part
        return extrapolate({n: mean.value for n, mean in self.training.items()}, labeled) * part

    def query(self, label: str, labeled: int) -> float:
        """Expected seconds of a query; of a sampler that has not queried yet, those of the others on average."""
        if label in self.queries:
            return _nearest(self.queries[label], labeled)
        others = [_nearest(known, labeled) for known in self.queries.values()]
        return sum(others) / len(others) if others else 0.0

    def cycles(self, rest: Rest, *, trained: bool, sizes: tuple[int, int] = (1, 1)) -> list[float]:
        """Expected seconds of each cycle of this rest.

        Args:
            rest: the cycles.
            trained: whether the first fit of the seed, which its cells share, is there already.
            sizes: how many models are trained together in the first of these cycles, and in each of the others.
        """
        last = len(rest.labeled) - 1
        found = []
        for index, labeled in enumerate(rest.labeled):
            shared = trained and not rest.cell.reference and rest.first + index == 0
            seconds = self.evaluation.value
            seconds += 0.0 if shared else self.train(labeled, sizes[index > 0])
            seconds += 0.0 if rest.cell.reference or index == last else self.query(rest.cell.label, labeled)
            found.append(seconds)
        return found


def share(size: float) -> float:
    """About how long a training in a stack of this size takes, as a share of one by itself.

    As measured on CPUs. Only if stacks differ in size it matters: expectations are set right by what is measured.
    """
    return (0.7 + 0.3 * max(2, size)) / size


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
    labels = np.array([n for n in known if n > 0], dtype=float)
    seconds = np.array([known[int(n)] for n in labels])
    if len(labels) < 2:
        return float(seconds.sum() * math.sqrt(at / labels.sum())) if len(labels) else 0.0
    weights = 1 / np.maximum(seconds, 1e-9)
    slope, start = np.polyfit(labels, seconds, 1, w=weights)
    if slope <= 0:
        slope, start = 0.0, np.average(seconds, weights=weights**2)
    elif start < 0:
        slope, start = (weights**2 * labels) @ seconds / ((weights * labels) ** 2).sum(), 0.0
    return float(start + slope * at)


def time_left(costs: Costs, groups: Iterable[Together], trained: Iterable[int], workers: int) -> float:
    """Expected seconds until all cells are done, by workers that take one group after another.

    Args:
        costs: of what is finished.
        groups: what is left of each, in the order in which they begin; those at work come first.
        trained: seeds whose first fit is there.
        workers: processes that run groups.
    """
    seeds = set(trained)
    known: dict[tuple[object, ...], list[float]] = {}  # of what differs in its seed alone
    free = [0.0] * workers
    for group in groups:
        present = later = 0.0
        sizes = {reference: group.sizes(seeds, reference=reference) for reference in (False, True)}
        for rest in group.rests:
            ready, reference, ended = rest.cell.seed in seeds, rest.cell.reference, rest.cell.name in group.ended
            now, then = sizes[reference]
            key = rest.cell.label, rest.first, reference, ready, ended, now, then
            if key not in known:
                known[key] = costs.cycles(rest, trained=ready, sizes=(then if ended else now, then))
            first, *others = known[key]
            present += 0.0 if ended else first
            later += sum(others, first if ended else 0.0)
            if not reference:
                seeds.add(rest.cell.seed)
        # What is over the expected counts no more.
        heapq.heapreplace(free, free[0] + max(0.0, present - group.already) + later)
    return max(free)


def _nearest(known: Mapping[int, Recent], labeled: int) -> float:
    return known[min(known, key=lambda n: abs(n - labeled))].value
