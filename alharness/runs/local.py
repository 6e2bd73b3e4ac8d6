"""The executor that is built in: processes of this machine."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.connection import wait as wait_for
from typing import TYPE_CHECKING, Any

from alharness.api.executor import Executor, Loss, Worker

from .directory import RunDirectory
from .messages import Continue
from .processes import Processes
from .vitals import kills_for_memory, own_memory, state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alharness.api.executor import ExecutorContext, Group, Work
    from alharness.api.params import Params

    from .held import HeldInProcesses
    from .processes import Child

TERMINATION = 1.0
"""Seconds within which SIGTERM reaches all processes of a job."""


class LocalExecutor(Executor["LocalWorker"]):
    """Computes groups in processes of this machine, each of which is ended with all that it has started."""

    def __init__(self, _: Params, context: ExecutorContext) -> None:
        self.width = context.jobs or 1
        self._folder = context.folder
        self._processes = Processes()
        self._held: HeldInProcesses | None = None

    def open(self, work: Work, most: int) -> None:
        """See `Executor`. A process that is alone has the machine to itself."""
        super().open(work, most)
        self.exclusive = self.width == 1

    def start(self) -> LocalWorker:
        """See there."""
        threads = None if self.exclusive else max(1, cores() // self.width)
        arguments = self.work, self._folder, threads, self.exclusive
        target, output = "alharness.runs.worker:compute", RunDirectory(self._folder).output()
        return LocalWorker(self._processes, self._processes.start(target, output, *arguments))

    def wait(self, workers: Sequence[LocalWorker], seconds: float) -> list[LocalWorker]:
        """See there."""
        return heard(workers, seconds)

    def hold(self, makes: Sequence[Callable[[], Any]]) -> HeldInProcesses:
        """See there. All of them work at the same time, whatever `jobs` is."""
        from .held import HeldInProcesses

        self._held = HeldInProcesses(makes, self._folder, max(1, cores() // len(makes)))
        return self._held

    def close(self) -> None:
        """See there."""
        self._processes.__exit__()
        if self._held is not None:
            self._held.close()


class LocalWorker(Worker):
    """A process of this machine.

    Args:
        processes: those that it is one of.
        child: the process.
    """

    def __init__(self, processes: Processes, child: Child) -> None:
        self.child, self._processes = child, processes
        self._kills = kills_for_memory()

    def send(self, group: Group) -> None:
        """See `Worker`."""
        self._kills = kills_for_memory()
        self.child.say(group)

    def receive(self) -> Any:
        """See there."""
        return self.child.hear()

    def proceed(self) -> None:
        """See there."""
        self.child.say(Continue())

    def end(self) -> None:
        """See there."""
        self._processes.end(self.child)

    def loss(self) -> Loss:
        """See there."""
        code = self.child.exit_code
        if code == -signal.SIGTERM:
            # A batch system sends it to every process of a job before it kills; then this one is interrupted now.
            time.sleep(TERMINATION)
        text = f"its process {self.child.fate}"
        if code != -signal.SIGKILL:
            return Loss(text=text)
        if kills_for_memory() > self._kills:
            return Loss(text=text, reason="the machine ran out of memory: fewer jobs need less", cause="memory")
        reason = "something has ended it, perhaps because memory ran out"
        return Loss(text=text, reason=reason, cause="killed")

    def memory(self) -> int:
        """See there."""
        return own_memory(self.child.pid)

    def state(self) -> str:
        """See there."""
        return state(self.child.pid)


def heard(workers: Sequence[Any], seconds: float) -> list[Any]:
    """Those that have something to say; waits until there is one, but not longer."""
    ready = wait_for([worker.child.connection for worker in workers], seconds)
    return [worker for worker in workers if worker.child.connection in ready]


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
