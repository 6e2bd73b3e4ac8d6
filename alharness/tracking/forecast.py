"""The time left of a run: expected costs, and the clock."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from .remaining import Costs, Recent, Rest, spent, time_left

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        self._since: dict[str, float] = {}  # cell at work -> when its cycle began
        self._heard: set[str] = set()  # of these: the others are taken to be next in line
        self._following: set[str] = set()  # of those at work: began when a worker had ended another cell
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
                self._rests[cell.name] = _rest(cell, labeled[first:], first)
        self._begin_next(now)

    def learn(self, record: Outcome) -> None:
        """Take in what an earlier run measured."""
        for cycle in record.cycles:
            self._costs.add(record.cell.label, cycle)

    def advance(self, cell: Cell, cycle: CycleRecord, now: float) -> None:
        """Take in a cycle that has just finished."""
        seconds = spent(cycle)
        self._first = self._first or seconds
        if cell.name in self._heard:
            # The first cycle of a cell says nothing: a worker may have started and imported before it.
            self._measured += seconds
            self._elapsed += now - self._since[cell.name]
        elif cell.name in self._following:
            self._beginning.add(max(0.0, now - self._since[cell.name] - self.pace * seconds))
        elif cell.name not in self._since:
            self._since.pop(next((name for name in self._since if name not in self._heard), ""), None)
        self._heard.add(cell.name)
        self._since[cell.name] = now
        self._costs.add(cell.label, cycle)
        if not cell.reference:
            self._trained.add(cell.seed)
        rest = self._rests.pop(cell.name, None)
        if rest and rest.labeled[1:]:
            self._rests[cell.name] = _rest(cell, rest.labeled[1:], cycle.cycle + 1)
        else:
            self.drop(cell, now)

    def drop(self, cell: Cell, now: float) -> None:
        """Expect no more of this cell: it is complete, or failed."""
        self._rests.pop(cell.name, None)
        self._since.pop(cell.name, None)
        self._heard.discard(cell.name)
        self._following.discard(cell.name)
        self._following |= self._begin_next(now)

    def left(self, now: float) -> float | None:
        """Seconds until everything is done; None before anything is known.

        Between two cycles it falls with the clock, but not by more than the cycles at work should take.
        """
        if not self._costs.known:
            return None
        at_work = [self._rests[name] for name in self._since if name in self._rests]
        done = [(now - since) / self.pace for name, since in self._since.items() if name in self._rests]
        waiting = [rest for name, rest in self._rests.items() if name not in self._since]
        work = time_left(self._costs, [*at_work, *waiting], self._trained, self._workers, done)
        begin = self._beginning.value * len(waiting) / min(self._workers, max(1, len(waiting)))
        return self.pace * work + begin

    @property
    def pace(self) -> float:
        """Seconds that pass for each second that cycles measure: writing, waiting, other programs."""
        # The first cycle of the run weighs in as one that took what it measured.
        pace = (self._elapsed + self._first) / (self._measured + self._first) if self._first else 1.0
        return min(max(pace, QUICKEST), SLOWEST)

    def _begin_next(self, now: float) -> set[str]:
        """Give the next cells to the free workers; returns their names."""
        waiting = (name for name in self._rests if name not in self._since)
        names = dict.fromkeys(islice(waiting, max(0, self._workers - len(self._since))), now)
        self._since |= names
        return set(names)


def _rest(cell: Cell, labeled: tuple[int, ...], first: int) -> Rest:
    return Rest(label=cell.label, seed=cell.seed, labeled=labeled, first=first, reference=cell.reference)
