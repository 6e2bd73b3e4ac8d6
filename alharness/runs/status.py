"""How far a run is, for those who only look: its journals, and the processes at work, on any host."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from alharness.errors import RunError

from . import journal, saved
from .claims import at_work, ends_of
from .costs import Costs, Rest, Together, time_left
from .directory import RunDirectory
from .groups import cut
from .jobs import Submissions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from alharness.api.records import Cell, Outcome, Plan, Status

    from .claims import Holder
    from .jobs import Submission

COMPLETE, RUNNING, WAITING, FAILED = "complete", "running", "waiting", "failed"


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
class Queued:
    """Jobs that a batch system was given, and that have not begun as far as can be seen here.

    Attributes:
        system: its name.
        at: when they were submitted.
        jobs: their ids.
        cells: how many cells they have.
        logs: folder of what they print.
    """

    system: str
    at: datetime
    jobs: tuple[str, ...]
    cells: int
    logs: str


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """How far a run is.

    Attributes:
        folder: the run directory.
        name: of the spec.
        states: number of cells that are complete, running, waiting and failed.
        cycles: finished cycles.
        of: all cycles; of seeds that stop, at most.
        failures: name of a cell -> how it ended, and why.
        processes: those at work.
        queued: jobs that have not begun.
    """

    folder: Path
    name: str
    states: Mapping[str, int]
    cycles: int = 0
    of: int = 0
    failures: Mapping[str, str] = field(default_factory=dict)
    processes: Sequence[Process] = ()
    queued: Sequence[Queued] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing is running, and nothing is left that could."""
        return not (self.processes or self.states[RUNNING] or self.states[WAITING])

    @property
    def needs_help(self) -> bool:
        """Whether cells have failed, or some are left of which no process and no job is known."""
        return bool(self.states[FAILED]) or not (self.processes or self.queued or self.ended)

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
        """How far it is now. Raises RunError if it cannot be read."""
        working, submitted = at_work(self._directory), Submissions(self._directory.path).read()
        try:
            plan, outcomes = saved.load(self._directory.path, self._outcome)
        except RunError:
            if (working or submitted) and not (self._directory.path / saved.NAME).exists():
                return self._before(working, submitted)
            raise
        ends = {cell: end for folder, _ in working for cell, end in ends_of(folder).items()}
        found = {one.cell: _with_end(one, ends) for one in outcomes}
        held = {folder for _, who in working for folder in who.cells}
        states = {cell: _state(one, held) for cell, one in found.items() if one.status != "spared"}
        costs = _costs(outcomes)
        waiting = {cell.folder: found[cell] for cell, state in states.items() if state == WAITING}
        return RunStatus(
            folder=self._directory.path,
            name=plan.name,
            states=Counter(states.values()),
            cycles=sum(len(found[cell].cycles) for cell in states),
            of=sum(len(plan.labeled(cell)) for cell in states),
            failures={
                cell.name: f"{found[cell].status}: {found[cell].error}"
                for cell, state in states.items()
                if state == FAILED
            },
            processes=[_process(folder, who, plan, states, found, costs) for folder, who in working],
            queued=[*_queued(submitted, {f: one for f, one in waiting.items() if f not in held})],
        )

    def _before(self, working: Sequence[tuple[Path, Holder]], submitted: Sequence[Submission]) -> RunStatus:
        """Of a run of which only is known who will run it: no data were loaded yet."""
        cells = {cell for _, who in working for cell in who.cells}
        waiting = {cell: None for one in submitted for own in one.cells.values() for cell in own}
        return RunStatus(
            folder=self._directory.path,
            name=self._directory.path.name.rpartition("-")[0],
            states=Counter({WAITING: len(cells | waiting.keys())}),
            processes=[
                Process(name=str(who), since=_since(folder), complete=0, cells=len(who.cells), left=None)
                for folder, who in working
            ],
            queued=[*_queued(submitted, {cell: one for cell, one in waiting.items() if cell not in cells})],
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


def _with_end(outcome: Outcome, ends: Mapping[str, tuple[Status, str]]) -> Outcome:
    """How a cell ended in a process that still works on others."""
    if outcome.status != "pending" or outcome.cell.folder not in ends:
        return outcome
    status, error = ends[outcome.cell.folder]
    return replace(outcome, status=status, error=error)


def _state(outcome: Outcome, held: Collection[str]) -> str:
    if outcome.status == "ok":
        return COMPLETE
    if outcome.status not in ("pending", "interrupted"):
        return FAILED
    return RUNNING if outcome.cell.folder in held and outcome.context else WAITING


def _process(
    folder: Path,
    who: Holder,
    plan: Plan,
    states: Mapping[Cell, str],
    found: Mapping[Cell, Outcome],
    costs: Costs,
) -> Process:
    own = frozenset(who.cells)
    cells = [cell for cell in states if cell.folder in own]
    return Process(
        name=str(who),
        since=_since(folder),
        complete=sum(states[cell] == COMPLETE for cell in cells),
        cells=len(cells),
        left=_left(plan, [cell for cell in cells if states[cell] in (RUNNING, WAITING)], found, costs),
    )


def _queued(submitted: Sequence[Submission], waiting: Mapping[str, Outcome | None]) -> Iterator[Queued]:
    """Jobs of which no cell has begun since they were submitted, and no later job has any.

    Args:
        submitted: the oldest first.
        waiting: folder of a cell that no process has -> how far it is, if that is known.
    """
    later = set[str]()
    for one in reversed(submitted):
        jobs = {
            job: cells
            for job, cells in one.cells.items()
            if not any(cell in later or cell not in waiting or _begun(waiting[cell], one.at) for cell in cells)
        }
        later.update(cell for cells in one.cells.values() for cell in cells)
        if jobs:
            at = datetime.fromtimestamp(one.at / 1000).astimezone()
            count = sum(map(len, jobs.values()))
            yield Queued(system=one.system, at=at, jobs=tuple(jobs), cells=count, logs=one.logs)


def _begun(outcome: Outcome | None, since: int) -> bool:
    """Whether a cell did anything after a time, in milliseconds since the epoch."""
    return outcome is not None and max([outcome.started, *(cycle.at for cycle in outcome.cycles[-1:])]) > since


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
