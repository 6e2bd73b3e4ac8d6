"""Commands as a user starts them: processes of their own, with every core, timed from outside."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

from .rows import Cost, combine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).parents[1]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Variables of the environment that numerical libraries read when they are loaded."""
FOR_SUITES = {*ONE_THREAD, "PYTHONDONTWRITEBYTECODE"}
"""Variables that commands do not get: a run shares the cores out itself, and users compile a module only once."""
FEW = "import click, importlib.metadata"
OF_PLUGINS = """
import click, importlib.metadata, pluggy, pydantic
class Model(pydantic.BaseModel):
    x: int = 1
"""
OF_SPECS = f"import yaml{OF_PLUGINS}"
"""The libraries of `--help`, `plugins` and `check`; a first model makes pydantic load itself."""
LITTLE = 1.75
"""So many times the processor time of its imports may a quick command take."""
INTERVAL = 1.0
"""Seconds between two looks at a command's processes; each costs some milliseconds of a core."""
OFTEN = 0.1
"""The same if memory is quickly known, whose peaks may be short."""
SELDOM = 200
"""To ask for memory takes ten times as long, and holds the processes up: it may take one second in so many."""


class Ended(NamedTuple):
    """A command that succeeded.

    Attributes:
        cost: what all its processes took; its memory is the most that they held together when they were looked
            at, in MB (10⁶ bytes). What they share counts once, if the system reports it (Linux).
        started: milliseconds since the epoch.
    """

    cost: Cost
    started: int


def start(
    *arguments: str,
    environment: Mapping[str, str] = os.environ,
    memory: Callable[[Sequence[psutil.Process]], int] | None = None,
) -> Ended:
    """Run Python with these arguments, in the repository, to its end.

    Args:
        arguments: of Python.
        environment: variables.
        memory: bytes that processes hold; by default all memory of all of them.

    Raises:
        RuntimeError: it failed; with the last lines that it wrote.
    """
    environment = {name: value for name, value in environment.items() if name not in FOR_SUITES}
    started, cpu, wall = int(time.time() * 1000), _of_children(), time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - our own command line
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        watch = _Watch(process.pid, memory or _together)
        watch.start()
        output, _ = process.communicate()
    wall = time.perf_counter() - wall
    watch.finish()
    # The one lacks helpers that were not waited for, the other the last moments of every process.
    cost = Cost(cpu=max(_of_children() - cpu, watch.seconds), wall=wall, memory=watch.peak / 1e6)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{output[-2000:]}")
    return Ended(cost, started)


def in_turn(rounds: int, *commands: Sequence[str]) -> list[Cost]:
    """The quickest of so many starts of each, in turn, after a first one that compiles what it imports.

    Each does the same, and other load on a shared machine can only add to the fraction of a second.
    """
    costs = [[replace(start(*command).cost, memory=None) for command in commands] for _ in range(rounds + 1)][1:]
    return [combine(side, min) for side in zip(*costs, strict=True)]


class _Watch(threading.Thread):
    """Looks at a process and all that descend from it, again and again."""

    def __init__(self, pid: int, memory: Callable[[Sequence[psutil.Process]], int]) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._pid, self._memory = pid, memory
        self._done = threading.Event()
        self._seconds: dict[int, float] = {}
        self._asked_again = 0.0

    @property
    def seconds(self) -> float:
        """Of the processor, each process as it was seen last."""
        return sum(self._seconds.values())

    def run(self) -> None:
        self._look()
        while not self._done.wait(INTERVAL if self._memory is _together else OFTEN):
            self._look()

    def finish(self) -> None:
        self._done.set()
        self.join()

    def _look(self) -> None:
        found: Sequence[psutil.Process] = ()
        with suppress(psutil.Error):
            parent = psutil.Process(self._pid)
            found = [parent, *parent.children(recursive=True)]
        for process in found:
            with suppress(psutil.Error):  # it has ended meanwhile
                times = process.cpu_times()
                self._seconds[process.pid] = times.user + times.system
        began = time.perf_counter()
        if began >= self._asked_again:
            self.peak = max(self.peak, self._memory(found) if found else 0)
            ended = time.perf_counter()
            self._asked_again = ended + SELDOM * (ended - began)


def _together(processes: Sequence[psutil.Process]) -> int:
    return sum(map(_memory, processes))


def _memory(process: psutil.Process) -> int:
    """Bytes that it holds, its share of what it holds with others; 0 when it has ended."""
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0
    held: int = getattr(memory, "pss", memory.rss)
    return held


def _of_children() -> float:
    """Seconds of the processor, of all processes that descend from this one and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
