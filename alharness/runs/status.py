"""How far a run is, for those who only look: its journals, and the processes at work, on any host."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from alharness.errors import RunError

from . import journal, saved
from .claims import at_work, ends_of
from .costs import Costs, Rest, Together, time_left
from .directory import RunDirectory
from .groups import cut

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from alharness.api.records import Cell, Outcome, Plan

COMPLETE, RUNNING, WAITING, FAILED = "complete", "running", "waiting", "failed"


class NotYet(RunError):
    """A process has begun to work in a run directory, and has not written its plan yet."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process at work in a run directory.

    Attributes:
        name: which, and on which host.
        since: when it began with its cells, by the clock of the file system.
        complete: its cells with every cycle.
        cells: all of its cells.
        left: expected seconds until they have ended; None if nothing is known yet.
    """

    name: str
    since: datetime | None
    complete: int
    cells: int
    left: float | None


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """How far a run is.

    Attributes:
        plan: what its last `run` command was asked for.
        states: number of cells that are complete, running, waiting and failed.
        cycles: finished cycles.
        of: all cycles; of seeds that stop, at most.
        failures: name of a cell -> how it ended, and why.
        processes: those at work.
    """

    plan: Plan
    states: Mapping[str, int]
    cycles: int
    of: int
    failures: Mapping[str, str]
    processes: Sequence[Process]

    @property
    def ended(self) -> bool:
        """Whether nothing is running, and nothing is left that could."""
        return not (self.processes or self.states[RUNNING] or self.states[WAITING])

    @property
    def needs_help(self) -> bool:
        """Whether cells have failed, or some are left and no process works on any."""
        return bool(self.states[FAILED]) or not (self.processes or self.ended)

    @property
    def left(self) -> float | None:
        """Expected seconds until the processes at work have ended their cells; None if that is not known."""
        known = [process.left for process in self.processes if process.left is not None]
        return max(known, default=None)


class Watcher:
    """Looks at a run again and again; journals that did not change are not read again.

    Args:
        folder: the run directory.
    """

    def __init__(self, folder: Path) -> None:
        self._directory = RunDirectory(folder)
        self._seen: dict[Path, tuple[tuple[int, int], Outcome]] = {}

    def look(self) -> RunStatus:
        """How far it is now. Raises RunError if it cannot be read, and NotYet if it cannot be read yet."""
        working = at_work(self._directory)
        try:
            plan, outcomes = saved.load(self._directory.path, self._outcome)
        except RunError:
            if working and not (self._directory.path / saved.NAME).exists():
                who = working[0][1]
                raise NotYet(
                    f"{self._directory.path}: {who} has just begun to work there, and has not written yet what it "
                    "will do; look again in some seconds"
                ) from None
            raise
        holders = [{cell for cell in plan.cells if cell.folder in who.cells} for _, who in working]
        ends = {cell: end for folder, _ in working for cell, end in ends_of(folder).items()}
        found = {
            one.cell: replace(one, status=ends[one.cell.folder][0], error=ends[one.cell.folder][1])
            if one.status == "pending" and one.cell.folder in ends
            else one
            for one in outcomes
        }
        held = {cell for cells in holders for cell in cells}
        states = {cell: _state(one, held) for cell, one in found.items() if one.status != "spared"}
        costs = _costs(outcomes)
        processes = []
        for (folder, who), cells in zip(working, holders, strict=True):
            rest = [cell for cell in plan.cells if cell in cells and states.get(cell) in (RUNNING, WAITING)]
            processes.append(
                Process(
                    name=str(who),
                    since=_since(folder),
                    complete=sum(states.get(cell) == COMPLETE for cell in cells),
                    cells=len(cells),
                    left=_left(plan, rest, found, costs),
                )
            )
        return RunStatus(
            plan=plan,
            states=Counter(states.values()),
            cycles=sum(len(found[cell].cycles) for cell in states),
            of=sum(len(plan.labeled(cell)) for cell in states),
            failures={
                cell.name: f"{found[cell].status}: {found[cell].error}"
                for cell, state in states.items()
                if state == FAILED
            },
            processes=processes,
        )

    def _outcome(self, plan: Plan, cell: Cell) -> Outcome:
        path = self._directory.cell(cell) / journal.NAME
        try:
            found = path.stat()
            stamp = found.st_mtime_ns, found.st_size
        except OSError:
            stamp = 0, 0
        if path not in self._seen or self._seen[path][0] != stamp or self._seen[path][1].cell != cell:
            self._seen[path] = stamp, saved.outcome_of(plan, cell)
        return self._seen[path][1]


def _state(outcome: Outcome, held: Collection[Cell]) -> str:
    if outcome.status == "ok":
        return COMPLETE
    if outcome.status not in ("pending", "interrupted"):
        return FAILED
    return RUNNING if outcome.cell in held and outcome.context else WAITING


def _costs(outcomes: Sequence[Outcome]) -> Costs:
    costs = Costs()
    cycles = [(cycle.at, outcome.cell.label, cycle) for outcome in outcomes for cycle in outcome.cycles]
    for _, label, cycle in sorted(cycles, key=lambda entry: entry[0]):  # the latest count most
        costs.add(label, cycle)
    return costs


def _left(plan: Plan, cells: Sequence[Cell], found: Mapping[Cell, Outcome], costs: Costs) -> float | None:
    if not costs.known:
        return None
    plan = replace(plan, finished={cell.name: len(found[cell].cycles) for cell in cells})
    rests = {cell: _rest(plan, cell, found[cell]) for cell in cells}
    groups = [Together([rests[cell] for cell in group]) for group in cut(plan, cells, None)]
    trained = {cell.seed for cell, one in found.items() if one.cycles and not cell.reference}
    return time_left(costs, groups, trained, plan.jobs)


def _rest(plan: Plan, cell: Cell, outcome: Outcome) -> Rest:
    done = len(outcome.cycles)
    return Rest(cell, plan.labeled(cell)[done:], done)


def _since(folder: Path) -> datetime | None:
    with suppress(OSError):
        return datetime.fromtimestamp((folder / "holder.json").stat().st_mtime).astimezone()
    return None
