"""Runs cells in several processes, and hands on what they tell."""

from __future__ import annotations

import os
import pickle
import signal
from contextlib import suppress
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from alharness.errors import PluginError
from alharness.records import Ended

from . import forkserver
from .directory import RunDirectory
from .worker import OUTPUT, Finished, Order, Told, remove_empty, work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.context import ForkServerContext
    from pathlib import Path

    from alharness.cells import Cell
    from alharness.data import Dataset
    from alharness.records import CycleRecord

    from .experiment import Experiment
    from .worker import Message

PATIENCE = 5.0
"""Seconds that a worker which was told to end may take before it is killed."""


def run_in_workers(
    experiment: Experiment,
    dataset: Dataset,
    cells: Sequence[Cell],
    finished: Callable[[Cell, CycleRecord], None],
    warn: Callable[[str], None],
    *,
    jobs: int,
    restart: bool,
) -> Iterator[tuple[Cell, Ended]]:
    """Run cells, at most `jobs` at a time, and yield each when it has ended.

    A worker goes on with the seed it knows, then with one that nobody is at, so that few wait for the first fit of
    a seed. One that dies takes its cell along, and another takes its place. On KeyboardInterrupt the cells at work
    are interrupted, and no other begins.

    Args:
        experiment: what the cells share.
        dataset: made by `sharing.share`.
        cells: in the order in which they should begin.
        finished: told of every cycle once it is on disk.
        warn: told what the user should know.
        jobs: processes.
        restart: begin cells anew whose journals cannot be continued.
    """
    context = forkserver.start()
    threads = max(1, cores() // jobs)
    idle: list[_Worker] = []
    busy: dict[_Worker, Cell] = {}
    waiting = list(cells)
    try:
        while waiting or busy:
            while waiting and len(busy) < jobs:
                worker = idle.pop() if idle else _Worker(context, experiment, dataset, threads)
                cell = _next(waiting, worker.seed, {cell.seed for cell in busy.values()})
                waiting.remove(cell)
                busy[worker] = cell
                worker.give(cell, restart=restart)
            for worker in _telling(busy):
                cell = busy[worker]
                message = worker.hear()
                if isinstance(message, Finished):
                    finished(cell, message.cycle)
                elif isinstance(message, Told):
                    warn(message.text)
                else:
                    del busy[worker]
                    if message is None:
                        yield cell, _lost(worker, experiment, cell)
                    else:
                        idle.append(worker)
                        yield cell, message
    except KeyboardInterrupt:
        yield from ((cell, Ended(status="interrupted")) for cell in busy.values())
    finally:
        for worker in (*idle, *busy):
            worker.stop()
        remove_empty(experiment.folder / OUTPUT)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker:
    """The other end of a process that runs cells."""

    def __init__(self, context: ForkServerContext, experiment: Experiment, dataset: Dataset, threads: int) -> None:
        self.seed: int | None = None
        self.connection, far = context.Pipe()
        self.process = context.Process(target=work, args=(far, experiment, dataset, threads, dict(os.environ)))
        try:
            self.process.start()
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise PluginError(
                f"the parameters of a plugin cannot be sent to another process ({error}): have their class at the "
                "top of a module, or run with --jobs 1"
            ) from error
        far.close()

    def give(self, cell: Cell, *, restart: bool) -> None:
        self.seed = cell.seed
        with suppress(BrokenPipeError):  # it died: `hear` tells
            self.connection.send(Order(cell=cell, restart=restart))

    def hear(self) -> Message | None:
        """What it says next; None where it says nothing more, because it is dead."""
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError):
            self.process.join(PATIENCE)
            return None
        return message

    def stop(self) -> None:
        """End it, in the middle of a cell if need be: what is finished is on disk."""
        self.process.terminate()
        self.process.join(PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.connection.close()


def _next(waiting: list[Cell], known: int | None, at_work: set[int]) -> Cell:
    mine = (cell for cell in waiting if cell.seed == known)
    untouched = (cell for cell in waiting if cell.seed not in at_work)
    return next(mine, None) or next(untouched, None) or waiting[0]


def _telling(busy: dict[_Worker, Cell]) -> list[_Worker]:
    ready = wait([worker.connection for worker in busy])
    return [worker for worker in busy if worker.connection in ready]


def _lost(worker: _Worker, experiment: Experiment, cell: Cell) -> Ended:
    code = worker.process.exitcode
    if code == -signal.SIGTERM:
        # A batch system sends it to every process of a job before it kills.
        return Ended(status="interrupted", error="its process was asked to end")
    how = f"was ended by {signal.Signals(-code).name}" if code is not None and code < 0 else f"ended with {code}"
    folder = RunDirectory(experiment.folder)
    written = [path for path in (folder.cell(cell) / OUTPUT, folder.path / OUTPUT) if _says_something(path)]
    hint = f"; see {written[0]}" if written else ""
    memory = "; perhaps the machine ran out of memory: fewer --jobs need less" if code == -signal.SIGKILL else ""
    return Ended(
        status="failed",
        error=f"{cell.label} ({cell.distribution}): its process {how} before the cell was finished{hint}{memory}",
    )


def _says_something(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
