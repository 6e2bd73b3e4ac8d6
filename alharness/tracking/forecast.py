"""The time left of a run: what its cycles are expected to cost, set against the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from alharness.runs.costs import Costs, Recent, Rest, Together, spent, time_left

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alharness.api.records import Cell, CycleRecord, Outcome, Plan


SLOWEST, QUICKEST = 10.0, 0.1
"""Bounds of the pace: beyond them something else was measured, a machine that slept say."""


class Forecast:
    """What is left, what it should cost, and at what pace the clock goes meanwhile.

    Cells of a group go through their cycles side by side: a *round* is one cycle of each. They train together, so
    only a whole round says how long a group takes.

    All times are seconds of one clock that never goes back.

    Args:
        workers: groups that run at a time.
    """

    def __init__(self, *, workers: int) -> None:
        self._workers = workers
        self._costs = Costs()
        self._groups: dict[str, int] = {}  # of each cell
        self._rests: dict[int, dict[str, Rest]] = {}  # of each group, in the order in which they begin
        self._trained: set[int] = set()
        self._work: dict[int, _Work] = {}  # of the groups that are at work, or taken to be
        self._beginning = Recent()  # seconds that pass before the first round of such a group
        self._measured = self._elapsed = self._first = 0.0

    def expect(self, run: Plan, cells: Iterable[Cell], now: float) -> None:
        """Say what the run has to do: of these cells, the cycles that are not finished."""
        for cell in run.cells:
            if run.finished.get(cell.name) and not cell.reference:
                self._trained.add(cell.seed)
        together = {name: number for number, names in enumerate(run.groups) for name in names}
        for number, cell in enumerate(cells, len(run.groups)):
            first, labeled = run.finished.get(cell.name, 0), run.labeled(cell)
            if first < len(labeled):
                group = self._groups[cell.name] = together.get(cell.name, number)
                self._rests.setdefault(group, {})[cell.name] = Rest(cell, labeled[first:], first)
        self._begin_next(now)

    def learn(self, record: Outcome) -> None:
        """Take in what an earlier run measured."""
        for cycle in record.cycles:
            self._costs.add(record.cell.label, cycle)

    def advance(self, cell: Cell, cycle: CycleRecord, now: float) -> None:
        """Take in a cycle that has just finished."""
        group = self._groups.get(cell.name, -1)
        if group not in self._work:  # it was not the next in line that began
            self._work.pop(next((other for other, work in self._work.items() if not work.latest), -1), None)
            self._work[group] = _Work(now)
        work = self._work[group]
        if cell.name in work.ended:  # others wait until it has caught up
            self._judge(work)
        work.latest, work.measured = now, work.measured + spent(cycle)
        work.ended[cell.name] = (cell.label, cycle)
        if not self._first:
            self._costs.add(cell.label, cycle, of=work)
        if not cell.reference:
            self._trained.add(cell.seed)
        rest = self._rests.get(group, {}).get(cell.name)
        if rest and rest.labeled[1:]:
            self._rests[group][cell.name] = Rest(cell, rest.labeled[1:], cycle.cycle + 1)
            self._settle(group, now)
        else:
            self.drop(cell, now)

    def drop(self, cell: Cell, now: float) -> None:
        """Expect no more of this cell: it is complete, or failed."""
        group = self._groups.get(cell.name, -1)
        self._rests.get(group, {}).pop(cell.name, None)
        self._settle(group, now)

    def left(self, now: float) -> float | None:
        """Seconds until everything is done; None before anything is known.

        Between two cycles it falls with the clock, but not by more than the cycles at work should take.
        """
        if not self._costs.known:
            return None
        at_work = [
            Together(
                [*self._rests[group].values()],
                ended=frozenset(work.ended),
                already=max(0.0, (now - work.since) / self.pace - work.measured),
            )
            for group, work in self._work.items()
            if group in self._rests
        ]
        waiting = [Together([*rests.values()]) for group, rests in self._rests.items() if group not in self._work]
        seconds = time_left(self._costs, [*at_work, *waiting], self._trained, self._workers)
        begin = self._beginning.value * len(waiting) / min(self._workers, max(1, len(waiting)))
        return self.pace * seconds + begin

    @property
    def pace(self) -> float:
        """Seconds that pass for each second that cycles measure: writing, waiting, other programs."""
        # The first round of the run weighs in as one that took what it measured.
        pace = (self._elapsed + self._first) / (self._measured + self._first) if self._first else 1.0
        return min(max(pace, QUICKEST), SLOWEST)

    def _settle(self, group: int, now: float) -> None:
        """Judge the pace by a round that all cells of the group have ended; others begin after its last cell."""
        rests, work = self._rests.get(group, {}), self._work.get(group)
        if work and work.ended and work.ended.keys() >= rests.keys():
            self._judge(work)
        if not rests:
            self._rests.pop(group, None)
            self._work.pop(group, None)
            self._begin_next(now, following=True)

    def _judge(self, work: _Work) -> None:
        elapsed = work.latest - work.since
        if self._first:  # some members of a stack say little of all
            for label, cycle in work.ended.values():
                self._costs.add(label, cycle, of=(work, work.rounds))
        self._first = self._first or work.measured
        if work.rounds:
            # The first round of a group says nothing: a worker may have started and imported before it.
            self._measured += work.measured
            self._elapsed += elapsed
        elif work.following:
            self._beginning.add(max(0.0, elapsed - self.pace * work.measured))
        work.since, work.rounds, work.measured, work.ended = work.latest, work.rounds + 1, 0.0, {}

    def _begin_next(self, now: float, *, following: bool = False) -> None:
        """Give the next groups to the free workers."""
        waiting = (group for group in self._rests if group not in self._work)
        for group in list(islice(waiting, max(0, self._workers - len(self._work)))):
            self._work[group] = _Work(now, following=following)


@dataclass(eq=False)
class _Work:
    """A group at work.

    Attributes:
        since: when its round began.
        following: whether it began when a worker had ended another group.
        latest: when one of its cells ended a cycle; 0 if it is only taken to be the next in line.
        rounds: how many have ended.
        ended: name of a cell -> its label, and the cycle with which it has ended this one.
        measured: seconds that they measured in it.
    """

    since: float
    following: bool = False
    latest: float = 0.0
    rounds: int = 0
    ended: dict[str, tuple[str, CycleRecord]] = field(default_factory=dict)
    measured: float = 0.0
