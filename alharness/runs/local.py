"""The local executor: groups in processes of this machine, which are watched while they compute."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from alharness.api.executor import Finished, Group, Warned
from alharness.api.records import Outcome

from .directory import RunDirectory
from .messages import Begun, Continue, Done
from .processes import remove_empty
from .watch import Exceeded, Watch, listen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alharness.api.executor import Groups, Message
    from alharness.api.records import Cell, Status
    from alharness.spec.settings import LimitsSettings

    from .messages import Work
    from .processes import Child, Processes

TERMINATION = 1.0
"""Seconds within which SIGTERM reaches all processes of a job."""


class LocalExecutor:
    """Computes groups in processes, at most `jobs` at a time.

    A process that dies, or is ended, takes its group along, and another takes its place; so does one in which a
    cell was not completed, since what has failed in it may have left anything.

    Args:
        processes: starts them.
        folder: the run directory; processes print to files in it.
        limits: what an attempt at a cell may take. A group of several has the time of all of them.
        jobs: how many.
        warn: called with what the user should know.
    """

    def __init__(
        self,
        processes: Processes,
        folder: Path,
        limits: LimitsSettings,
        jobs: int,
        warn: Callable[[str], None],
    ) -> None:
        self.exclusive = jobs == 1
        self._processes, self._limits, self._jobs, self._warn = processes, limits, jobs, warn
        self._directory = RunDirectory(folder)
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []
        self._longest = 0.0

    def run(self, work: Work, groups: Groups) -> None:
        """See `alharness.api.executor.Executor`."""
        try:
            while groups.left or self._busy:
                self._begin(work, groups)
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

    def _hear(self, worker: _Worker, message: Message | Begun | Done | Exceeded | None, groups: Groups) -> None:
        match message:
            case Exceeded():
                self._lose(worker, groups, *message)
            case Begun():
                worker.watch.begin()
            case Done() if not worker.left:
                self._release(worker)
            case Done() | None:
                self._lose(worker, groups, *self._fate(worker))
            case Warned():
                worker.watch.heard()
                groups.receive(message)
            case _:
                self._hand_over(worker, groups, message)

    def _hand_over(self, worker: _Worker, groups: Groups, message: Message) -> None:
        silent, began = worker.watch.heard(), time.monotonic()
        if isinstance(message, Finished):
            self._longest = max(self._longest, silent)
        if isinstance(message, Outcome):
            worker.left.remove(message.cell)
            worker.sound = worker.sound and message.status == "ok"
        wanted = groups.receive(message)
        if isinstance(message, Finished) and not wanted:
            worker.left.remove(message.cell)
            self._lose(worker, groups, "failed", "its process was ended with that of another cell of its group")
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

    def _lose(self, worker: _Worker, groups: Groups, status: Status, error: str) -> None:
        """End a process; its cells that have not ended yet end like this."""
        self._end(worker)
        for cell in [*worker.left]:
            groups.receive(Outcome(cell=cell, status=status, error=f"{cell.who}: {error}"))

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
        written = [self._directory.output(cell) for cell in (*worker.left, None)]
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
        sound: all cells were completed in it.
    """

    watch: Watch

    def __init__(self, child: Child) -> None:
        self.child = child
        self.group = Group(cells=(), chosen={})  # none yet
        self.left: list[Cell] = []
        self.sound = True

    def begin(self, group: Group, limits: LimitsSettings) -> None:
        self.group, self.left = group, [*group.cells]
        if limits.cell_timeout is not None:
            limits = limits.model_copy(update={"cell_timeout": limits.cell_timeout * len(group.cells)})
        self.watch = Watch(self.child, group.name, limits)
        self.child.say(group)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
