"""The time left of a run, from what its finished cycles cost.

A cycle trains, evaluates and queries. Training grows with the labels and is much the same for every sampler;
the cost of a query is its sampler's own. What was measured at a number of labels is taken as it is, and what
was not is read off a line. `Forecast` sets these expectations against the clock.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from alharness.api.records import Cell, CycleRecord, Outcome, Plan


SLOWEST, QUICKEST = 10.0, 0.1
"""Bounds of the pace: beyond them something else was measured, a machine that slept say."""


class Forecast:
    """What is left, what it should cost, and at what pace the clock goes meanwhile.

    All times are seconds of one clock that never goes back.

    Args:
        workers: cells that run at a time.
    """

    def __init__(self, *, workers: int) -> None:
        self._workers = workers
        self._costs = Costs()
        self._rests: dict[str, Rest] = {}
        self._trained: set[int] = set()
        self._work: dict[str, _Work] = {}  # of the cells that are at work, or taken to be
        self._beginning = Recent()  # seconds that pass before the first cycle of such a cell
        self._measured = self._elapsed = self._first = 0.0

    def expect(self, run: Plan, cells: Iterable[Cell], now: float) -> None:
        """Say what the run has to do: of these cells, the cycles that are not finished."""
        for cell in run.cells:
            if run.finished.get(cell.name) and not cell.reference:
                self._trained.add(cell.seed)
        for cell in cells:
            first, labeled = run.finished.get(cell.name, 0), run.labeled(cell)
            if first < len(labeled):
                self._rests[cell.name] = Rest(cell, labeled[first:], first)
        self._begin_next(now)

    def learn(self, record: Outcome) -> None:
        """Take in what an earlier run measured."""
        for cycle in record.cycles:
            self._costs.add(record.cell.label, cycle)

    def advance(self, cell: Cell, cycle: CycleRecord, now: float) -> None:
        """Take in a cycle that has just finished."""
        seconds = spent(cycle)
        self._first = self._first or seconds
        work = self._work.get(cell.name)
        if work is None:  # it was not the next in line that began
            self._work.pop(next((name for name, other in self._work.items() if not other.heard), ""), None)
        elif work.heard:
            # The first cycle of a cell says nothing: a worker may have started and imported before it.
            self._measured += seconds
            self._elapsed += now - work.since
        elif work.following:
            self._beginning.add(max(0.0, now - work.since - self.pace * seconds))
        self._work[cell.name] = _Work(now, heard=True)
        self._costs.add(cell.label, cycle)
        if not cell.reference:
            self._trained.add(cell.seed)
        rest = self._rests.pop(cell.name, None)
        if rest and rest.labeled[1:]:
            self._rests[cell.name] = Rest(cell, rest.labeled[1:], cycle.cycle + 1)
        else:
            self.drop(cell, now)

    def drop(self, cell: Cell, now: float) -> None:
        """Expect no more of this cell: it is complete, or failed."""
        self._rests.pop(cell.name, None)
        self._work.pop(cell.name, None)
        self._begin_next(now, following=True)

    def left(self, now: float) -> float | None:
        """Seconds until everything is done; None before anything is known.

        Between two cycles it falls with the clock, but not by more than the cycles at work should take.
        """
        if not self._costs.known:
            return None
        at_work = {self._rests[name]: work for name, work in self._work.items() if name in self._rests}
        done = [(now - work.since) / self.pace for work in at_work.values()]
        waiting = [rest for name, rest in self._rests.items() if name not in self._work]
        seconds = time_left(self._costs, [*at_work, *waiting], self._trained, self._workers, done)
        begin = self._beginning.value * len(waiting) / min(self._workers, max(1, len(waiting)))
        return self.pace * seconds + begin

    @property
    def pace(self) -> float:
        """Seconds that pass for each second that cycles measure: writing, waiting, other programs."""
        # The first cycle of the run weighs in as one that took what it measured.
        pace = (self._elapsed + self._first) / (self._measured + self._first) if self._first else 1.0
        return min(max(pace, QUICKEST), SLOWEST)

    def _begin_next(self, now: float, *, following: bool = False) -> None:
        """Give the next cells to the free workers."""
        waiting = (name for name in self._rests if name not in self._work)
        for name in list(islice(waiting, max(0, self._workers - len(self._work)))):
            self._work[name] = _Work(now, following=following)


@dataclass(frozen=True)
class _Work:
    """A cell at work.

    Attributes:
        since: when its cycle began.
        heard: whether it has finished one; if not, it is only taken to be the next in line.
        following: whether it began when a worker had ended another cell.
    """

    since: float
    heard: bool = False
    following: bool = False


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
            shared = trained and not rest.cell.reference and rest.first + index == 0
            seconds = self.evaluation.value
            seconds += 0.0 if shared else self.train(labeled)
            seconds += 0.0 if rest.cell.reference or index == last else self.query(rest.cell.label, labeled)
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
        ready = rest.cell.seed in seeds
        key = (rest.cell.label, rest.first, rest.cell.reference, ready)
        if key not in known:
            known[key] = costs.cycles(rest, trained=ready)
        first, *others = known[key]
        heapq.heapreplace(free, free[0] + max(0.0, first - already) + sum(others))
        if not rest.cell.reference:
            seeds.add(rest.cell.seed)
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
