"""Runs cells in processes, and passes on what they tell."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from functools import partial
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Literal

from alharness.api.records import Ended

from .directory import RunDirectory
from .messages import OUTPUT, Begun, Continue, Finished, Order, Samples, Told
from .processes import remove_empty
from .watch import Watch

TERMINATION = 1.0
"""Seconds within which SIGTERM reaches all processes of a job."""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from alharness.api.records import Cell, CycleRecord
    from alharness.registry import Extras
    from alharness.spec.settings import LimitsSettings

    from .experiment import Experiment
    from .messages import Message
    from .processes import Child, Processes


class Workers:
    """Runs cells, at most `jobs` at a time.

    A worker continues with the seed it knows, then with one that no other is at, so that few wait for the first
    fit of a seed. One that dies, or that is ended, takes its cell along, and another takes its place; so does one
    whose cell was not completed, since what has failed in it may have left anything.

    Args:
        processes: starts them.
        extras: plugins that are not installed.
        experiment: what the cells share.
        samples: `messages.Loaded.samples`.
        limits: what an attempt at a cell may take.
        jobs: how many.
    """

    def __init__(
        self,
        processes: Processes,
        extras: Extras,
        experiment: Experiment,
        samples: bytes,
        limits: LimitsSettings,
        *,
        jobs: int,
    ) -> None:
        self._processes, self._experiment, self._limits = processes, experiment, limits
        self._extras = extras.without_datasets()
        self._samples, self._jobs = samples, jobs
        self._directory = RunDirectory(experiment.folder)
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []
        self._longest = 0.0

    def run(
        self,
        cells: Sequence[Cell],
        finished: Callable[[Cell, CycleRecord], None],
        warn: Callable[[str], None],
        *,
        action: Literal["run", "retime"],
        restart: bool,
    ) -> Iterator[tuple[Cell, Ended]]:
        """Yield each cell when it has ended. On KeyboardInterrupt those at work are interrupted; no other begins.

        Args:
            cells: in the order in which they should begin.
            finished: told of every cycle once it is on disk. What it raises ends the run, and no cell.
            warn: told what the user should know.
            action: run cells, or measure the queries of finished ones again.
            restart: begin cells again if their journals cannot be continued.
        """
        waiting = list(cells)
        try:
            while waiting or self._busy:
                while waiting and len(self._busy) < self._jobs:
                    worker = self._idle.pop() if self._idle else self._start()
                    cell = _next(waiting, worker.seed, {other.cell.seed for other in self._busy})
                    waiting.remove(cell)
                    worker.give(Order(cell=cell, action=action, restart=restart), self._limits)
                    self._busy.append(worker)
                for worker in self._talking():
                    message: Message | None = worker.child.hear()
                    self._longest = max(self._longest, worker.heard(message))
                    if isinstance(message, Finished):
                        self._pass_on(worker, partial(finished, worker.cell, message.cycle))
                    elif isinstance(message, Told):
                        warn(message.text)
                    elif not isinstance(message, Begun):
                        yield worker.cell, self._release(worker, message)
                for worker in [worker for worker in self._busy if not worker.child.has_spoken()]:
                    if exceeded := worker.watch.exceeded():
                        error = f"{worker.cell.who}: {exceeded.error}"
                        yield worker.cell, self._end(worker, replace(exceeded, error=error))
                    else:
                        worker.watch.mention_silence(self._longest, warn)
        except KeyboardInterrupt:
            for worker in [*self._busy]:
                yield worker.cell, self._end(worker, Ended(status="interrupted"))

    def _start(self) -> _Worker:
        threads = None if self._jobs == 1 else max(1, cores() // self._jobs)
        timing = "exclusive" if self._jobs == 1 else "shared"
        output = self._directory.path / OUTPUT
        child = self._processes.start(
            "alharness.runs.worker:work", output, self._extras, self._experiment, threads, timing
        )
        child.say(Samples(pickled=self._samples))
        return _Worker(child)

    def _talking(self) -> list[_Worker]:
        patience = min(worker.watch.patience(self._longest) for worker in self._busy)
        ready = wait([worker.child.connection for worker in self._busy], patience)
        return [worker for worker in self._busy if worker.child.connection in ready]

    def _pass_on(self, worker: _Worker, tell: Callable[[], None]) -> None:
        began = time.monotonic()
        tell()
        if self._jobs == 1:  # it waits, so that observers disturb no query
            worker.watch.excuse(time.monotonic() - began)
            worker.child.say(Continue())

    def _release(self, worker: _Worker, message: object) -> Ended:
        """The end of a cell: as the worker tells it, or of whatever has ended the worker."""
        if not isinstance(message, Ended):
            return self._end(worker, self._lost(worker))
        if message.status != "ok":
            return self._end(worker, message)
        self._busy.remove(worker)
        self._idle.append(worker)
        return message

    def _end(self, worker: _Worker, ended: Ended) -> Ended:
        self._busy.remove(worker)
        self._processes.end(worker.child)
        remove_empty(self._directory.cell(worker.cell) / OUTPUT)
        return ended

    def _lost(self, worker: _Worker) -> Ended:
        code = worker.child.exit_code
        if code == -signal.SIGTERM:
            # A batch system sends it to every process of a job before it kills; then this one is interrupted now.
            time.sleep(TERMINATION)
        written = [self._directory.cell(worker.cell) / OUTPUT, self._directory.path / OUTPUT]
        hint = next((f"; see {path}" for path in written if path.exists() and path.stat().st_size), "")
        error = f"{worker.cell.who}: its process {worker.child.fate} before the cell was finished{hint}"
        if code != -signal.SIGKILL:
            return Ended(status="failed", error=error)
        if worker.watch.killed_for_memory():
            return Ended(status="oom", error=f"{error}; the machine ran out of memory: fewer --jobs need less")
        return Ended(status="failed", error=f"{error}; something has ended it, perhaps for want of memory")


class _Worker:
    """A process, and the cell that it is at."""

    cell: Cell
    watch: Watch

    def __init__(self, child: Child) -> None:
        self.child = child
        self.seed: int | None = None

    def give(self, order: Order, limits: LimitsSettings) -> None:
        self.cell, self.seed = order.cell, order.cell.seed
        self.watch = Watch(self.child, order.cell.name, limits)
        self.child.say(order)

    def heard(self, message: Message | None) -> float:
        """Seconds that a cycle took, if this is the end of one."""
        seconds = self.watch.heard()
        if isinstance(message, Begun):
            self.watch.begin()
        return seconds if isinstance(message, Finished) else 0.0


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _next(waiting: list[Cell], known: int | None, at_work: set[int]) -> Cell:
    mine = (cell for cell in waiting if cell.seed == known)
    untouched = (cell for cell in waiting if cell.seed not in at_work)
    return next(mine, None) or next(untouched, None) or waiting[0]
