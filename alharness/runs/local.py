"""The local executor: groups in processes of this machine, which are watched while they compute."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

from alharness.api.executor import At, Begun, Done, FirstFit, Group, Warned
from alharness.api.records import Outcome

from .directory import RunDirectory
from .messages import Continue
from .processes import remove_empty
from .watch import Exceeded, Watch, listen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from alharness.api.executor import Finished
    from alharness.api.records import Cell, Status
    from alharness.spec.settings import LimitsSettings

    from .messages import Groups, Work
    from .processes import Child, Processes

TERMINATION = 1.0
"""Seconds within which SIGTERM reaches all processes of a job."""


class LocalExecutor:
    """Computes groups in processes, at most `jobs` at a time.

    A process that dies, or is ended, ends the cell whose work it did; the others continue in another one. If
    models of several were trained together, or memory ran out, they continue in two groups, so that what cannot
    continue is alone in the end. A process in which a cell was not completed is replaced, since what has failed in
    it may have left anything.

    Args:
        processes: starts them.
        folder: the run directory; processes print to files in it.
        limits: what an attempt at a cell may take. Cells that train together share the time that this takes.
        jobs: how many.
        warn: called with what the user should know.
        at_leisure: called once when a process has nothing to do any more and others still compute.
    """

    def __init__(
        self,
        processes: Processes,
        folder: Path,
        limits: LimitsSettings,
        jobs: int,
        warn: Callable[[str], None],
        at_leisure: Callable[[], None] = lambda: None,
    ) -> None:
        self.exclusive = jobs == 1
        self._at_leisure: Callable[[], None] | None = at_leisure
        self._processes, self._limits, self._jobs, self._warn = processes, limits, jobs, warn
        self._directory = RunDirectory(folder)
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []
        self._longest = 0.0

    def run(self, work: Work, groups: Groups) -> None:
        """Take groups, have them computed, and pass on what is found, until none is left."""
        try:
            while groups.left or self._busy:
                self._begin(work, groups)
                if self._at_leisure and self._idle and self._busy and not groups.left:
                    self._at_leisure()
                    self._at_leisure = None
                workers = {worker.watch: worker for worker in self._busy}
                for watch, message in listen(workers, self._longest, self._warn):
                    self._hear(workers[watch], message, groups)
        finally:
            for worker in [*self._busy, *self._idle]:
                self._end(worker)

    def _begin(self, work: Work, groups: Groups) -> None:
        """Give groups to idle processes. If all groups wait for a model, a process starts meanwhile."""
        while groups.left and len(self._busy) < self._jobs:
            worker = self._idle.pop() if self._idle else self._start(work)
            if (group := groups.take(worker.group.seeds)) is None:
                self._idle.append(worker)
                return
            worker.begin(group, self._limits)
            self._busy.append(worker)

    def _start(self, work: Work) -> _Worker:
        threads = None if self.exclusive else max(1, cores() // self._jobs)
        output, folder = self._directory.output(), self._directory.path
        child = self._processes.start(
            "alharness.runs.worker:compute", output, work, folder, threads, self.exclusive
        )
        return _Worker(child)

    def _hear(self, worker: _Worker, message: Any, groups: Groups) -> None:
        match message:
            case Exceeded(status="timeout"):
                self._lose(worker, groups, *message, guilty=worker.at_work)
            case Exceeded():
                self._lose(worker, groups, *message)
            case Begun():
                worker.watch.begin()
            case At():
                self._longest = max(self._longest, worker.watch.heard())
                worker.turn(message.cell)
            case Done() if not worker.left:
                self._release(worker)
            case Done() | None:
                self._lose_dead(worker, groups)
            case Warned():
                worker.watch.heard()
                groups.receive(message)
            case _:
                self._hand_over(worker, groups, message)

    def _hand_over(self, worker: _Worker, groups: Groups, message: Finished | FirstFit | Outcome) -> None:
        self._longest, began = max(self._longest, worker.watch.heard()), time.monotonic()
        cell = None if isinstance(message, FirstFit) else message.cell
        wanted = True
        if cell is None or cell in worker.left:
            wanted = groups.receive(message)
        if cell in worker.left and (isinstance(message, Outcome) or not wanted):
            worker.left.remove(cell)  # and what it still says of a cell that is not wanted is heard no more
            worker.sound = worker.sound and isinstance(message, Outcome) and message.status == "ok"
        if not wanted and not worker.left:
            self._end(worker)
        elif self.exclusive:  # it waits, so that observers disturb no query
            worker.watch.excuse(time.monotonic() - began)
            worker.child.say(Continue())

    def _release(self, worker: _Worker) -> None:
        if not worker.sound:
            self._end(worker)
            return
        self._busy.remove(worker)
        self._idle.append(worker)
        self._remove_empty(worker)

    def _lose_dead(self, worker: _Worker, groups: Groups) -> None:
        """See to the cells of a process that says nothing more."""
        status, error = self._fate(worker)
        memory = worker.child.exit_code == -signal.SIGKILL  # nearly always
        self._lose(worker, groups, status, error, guilty=worker.at_work if worker.cell and not memory else ())

    def _lose(
        self, worker: _Worker, groups: Groups, status: Status, error: str, guilty: Sequence[Cell] = ()
    ) -> None:
        """End a process. Its cells continue in other ones, except those that are guilty of its end.

        If that cannot be said, it is the only one that is left, or one in either half of them.
        """
        self._end(worker)
        guilty = guilty or (worker.left if len(worker.left) == 1 else ())
        for cell in guilty:
            groups.receive(Outcome(cell=cell, status=status, error=f"{cell.who}: {error}"))
        others = [cell for cell in worker.left if cell not in guilty]
        if guilty:
            parts = [others] if others else []
        else:
            half = len(others) // 2
            parts = [others[:half], others[half:]]
            self._warn(f"{worker.group.name} continue in two groups, after their last finished cycles: {error}")
        for part in reversed(parts):
            groups.put_back(part)

    def _end(self, worker: _Worker) -> None:
        for workers in (self._busy, self._idle):
            if worker in workers:
                workers.remove(worker)
        self._processes.end(worker.child)
        self._remove_empty(worker)

    def _remove_empty(self, worker: _Worker) -> None:
        for cell in worker.group.cells:
            remove_empty(self._directory.output(cell))

    def _fate(self, worker: _Worker) -> tuple[Status, str]:
        """What has become of a process that says nothing more."""
        code = worker.child.exit_code
        if code == -signal.SIGTERM:
            # A batch system sends it to every process of a job before it kills; then this one is interrupted now.
            time.sleep(TERMINATION)
        written = [self._directory.output(cell) for cell in (*worker.at_work, None)]
        hint = next((f"; see {path}" for path in written if path.exists() and path.stat().st_size), "")
        error = f"its process {worker.child.fate} before the cell was finished{hint}"
        if code != -signal.SIGKILL:
            return "failed", error
        if worker.watch.killed_for_memory():
            return "oom", f"{error}; the machine ran out of memory: fewer jobs need less"
        return "failed", f"{error}; something has ended it, perhaps because memory ran out"


class _Worker:
    """A process, and the group that it computes.

    Attributes:
        child: the process.
        group: its last one.
        left: its cells that have not ended yet.
        cell: the one whose work is done; None if several train together.
        sound: all cells were completed in it.
    """

    watch: Watch

    def __init__(self, child: Child) -> None:
        self.child = child
        self.group = Group(cells=(), chosen={})  # none yet
        self.left: list[Cell] = []
        self.cell: Cell | None = None
        self.sound = True

    @property
    def at_work(self) -> list[Cell]:
        """The cells whose work is done."""
        return [self.cell] if self.cell in self.left else [*self.left]

    def begin(self, group: Group, limits: LimitsSettings) -> None:
        self.group, self.left, self.cell = group, [*group.cells], None
        self._limit = limits.cell_timeout
        self._spent = dict.fromkeys(group.cells, 0.0)
        self.watch = Watch(self.child, group.name, limits)
        self.watch.allowed = self._allowed()
        self.child.say(group)

    def turn(self, cell: Cell | None) -> None:
        """Another cell's work is done from now on. What was done together is shared."""
        took, before = self.watch.lap(), self.at_work
        for one in before:
            self._spent[one] += took / len(before)
        self.cell = cell
        self.watch.allowed = self._allowed()

    def _allowed(self) -> float | None:
        """Seconds that the cells at work have left."""
        if self._limit is None:
            return None
        return sum(max(0.0, self._limit - self._spent[cell]) for cell in self.at_work)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
