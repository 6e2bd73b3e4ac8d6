"""What every executor promises, as tests to inherit."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from unittest import SkipTest

import numpy as np
import psutil

from alharness.api.executor import (
    ArrayFile,
    At,
    Begun,
    Done,
    Executor,
    ExecutorContext,
    Finished,
    FirstFit,
    Group,
    Work,
)
from alharness.api.records import Cell, CycleRecord, Outcome

from .kit import Conformance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from alharness.api.executor import ExecutorPlugin, Loss, Message, Worker

M = TypeVar("M")

LARGE = 20 * 2**20
"""Bytes of a message that no pipe holds."""
PATIENCE = 120.0
"""Seconds until a worker must have said something: its start is among them."""
GONE = 30.0
"""Seconds until a worker that was ended must be gone."""


class ExecutorConformance(Conformance):
    """Inherit, name the plugin, and pytest runs one test per promise. Nothing is trained, and torch is not needed.

    >>> from alharness import ExecutorPlugin, Params
    >>> from alharness.testing import ExecutorConformance
    >>> class TestPipes(ExecutorConformance):
    ...     plugin = ExecutorPlugin(name="pipes", params=Params, make="my_pipes:Pipes")

    Workers must be able to import `alharness.testing`: what they do in these tests is made of it.

    Attributes:
        plugin: the executor's plugin.
    """

    plugin: ExecutorPlugin

    def test_as_many_workers_as_are_asked_for_and_of_use(self, tmp_path: Path) -> None:
        """`--jobs` says how many; more than there are groups are never started."""
        with self.opened(tmp_path, jobs=3, most=2) as executor:
            assert executor.width == 2

    def test_a_worker_answers_one_group_after_another(self, tmp_path: Path) -> None:
        """By all messages in their order, small and large, in one process."""
        first, second = _cell("plain"), _cell("large")
        with self.opened(tmp_path) as executor:
            worker = executor.start()
            messages = [_all(executor, worker, first, second) for _ in range(2)]
            worker.end()
        processes = set[str]()
        for found in messages:
            kinds = [Begun, At, Finished, Outcome, At, FirstFit, Finished, Outcome, Done]
            assert [type(message) for message in found] == kinds
            assert [message.cell for message in found if isinstance(message, At)] == [first, second]
            assert [len(message.content) for message in found if isinstance(message, FirstFit)] == [LARGE]
            cycles = [message.cycle for message in found if isinstance(message, Finished)]
            processes |= {cycle.machine for cycle in cycles}
        assert len(processes) == 1

    def test_workers_have_the_arrays(self, tmp_path: Path) -> None:
        """As they are in the files, in their order, and of their types."""
        with self.opened(tmp_path) as executor:
            worker = executor.start()
            found = _all(executor, worker, _cell("plain"))
            worker.end()
        (cycle,) = (message.cycle for message in found if isinstance(message, Finished))
        assert cycle.diagnostics == EXPECTED

    def test_several_compute_at_the_same_time(self, tmp_path: Path) -> None:
        """Each its own group; `wait` gives the one that has something to say, and not the other."""
        with self.opened(tmp_path, jobs=2, most=2) as executor:
            busy, quick = executor.start(), executor.start()
            busy.send(_group(_cell("hangs")))
            assert _until(executor, busy, At)
            assert isinstance(_all(executor, quick, _cell("plain"))[-1], Done)
            began = time.monotonic()
            assert not [*executor.wait([busy], 0.3)]
            assert 0.2 < time.monotonic() - began < 10
            busy.end()
            quick.end()

    def test_messages_come_when_they_are_sent(self, tmp_path: Path) -> None:
        """And not when the group has ended: what is finished is to be written."""
        with self.opened(tmp_path) as executor:
            worker = executor.start()
            worker.send(_group(_cell("plain"), _cell("hangs")))
            assert _until(executor, worker, Finished)
            worker.end()

    def test_a_worker_that_dies_is_lost_after_what_it_said(self, tmp_path: Path) -> None:
        """`receive` gives None, `loss` says something, sending raises nothing, and another one can be started."""
        with self.opened(tmp_path) as executor:
            worker = executor.start()
            worker.send(_group(_cell("plain"), _cell("dies")))
            found = [*_received(executor, worker)]
            assert [type(message) for message in found] == [Begun, At, Finished, Outcome, At]
            loss: Loss = worker.loss()
            assert loss.text
            worker.send(_group(_cell("plain")))
            worker.end()
            another = executor.start()
            assert isinstance(_all(executor, another, _cell("plain"))[-1], Done)
            another.end()

    def test_a_worker_that_is_ended_is_gone(self, tmp_path: Path) -> None:
        """Also in the middle of a computation. It can only be seen here if it was on this machine."""
        with self.opened(tmp_path) as executor:
            worker = executor.start()
            worker.send(_group(_cell("plain"), _cell("hangs")))
            host, _, number = _until(executor, worker, Finished).cycle.machine.rpartition(" ")
            worker.end()
            until = time.monotonic() + GONE
            while host == socket.gethostname() and _lives(int(number)):
                assert time.monotonic() < until, f"process {number} is still there"
                time.sleep(0.1)

    def test_an_exclusive_worker_waits_until_a_message_was_handled(self, tmp_path: Path) -> None:
        """Observers must disturb no query."""
        with self.opened(tmp_path, jobs=1) as executor:
            if not executor.exclusive:
                raise SkipTest("times of its queries are marked as shared")
            worker = executor.start()
            worker.send(_group(_cell("plain"), _cell("plain")))
            _until(executor, worker, Finished)
            time.sleep(0.3)
            handled = time.time()
            worker.proceed()
            _until(executor, worker, Outcome)
            worker.proceed()
            later = _until(executor, worker, Finished)
            assert later.cycle.cost["time"] >= handled
            worker.end()

    @contextmanager
    def opened(self, folder: Path, jobs: int | None = None, most: int = 1) -> Iterator[Executor[Any]]:
        """An executor whose workers echo."""
        files = []
        for number, array in enumerate(ARRAYS):
            path = folder / f"{number}.raw"
            array.tofile(path)
            files.append(ArrayFile(path=str(path), offset=0, shape=array.shape, dtype=array.dtype.str))
        context = ExecutorContext(folder=folder, warn=print, jobs=jobs)
        made = self.plugin.make(self._params(), context)
        assert isinstance(made, Executor)
        with made as executor:
            executor.open(Echo(files), most)
            yield executor


ARRAYS = (np.arange(7, dtype="<i8"), np.linspace(0, 1, 12, dtype="<f4").reshape(3, 4))


class Echo(Work):
    """Does as the samplers of the cells are called."""

    def __init__(self, arrays: Sequence[ArrayFile]) -> None:
        self.arrays = arrays
        self._seen: dict[str, float] = {}

    def begin(self, arrays: Sequence[NDArray[Any]] | None = None, *, threads: int | None = None) -> None:  # noqa: ARG002
        """See `Work`."""
        self._seen = _seen([file.open() for file in self.arrays] if arrays is None else arrays)

    def __call__(self, group: Group) -> Iterator[Message]:
        """See `Work`."""
        yield Begun()
        for cell in group.cells:
            yield At(cell=cell)
            if cell.sampler == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            if cell.sampler == "hangs":
                time.sleep(1000)
            if cell.sampler == "large":
                yield FirstFit(seed=cell.seed, everything=False, content=bytes(LARGE))
            cycle = CycleRecord(
                cycle=0,
                labeled=1,
                metrics={},
                cost={"time": time.time()},
                diagnostics=self._seen,
                machine=f"{socket.gethostname()} {os.getpid()}",
            )
            yield Finished(cell=cell, cycle=cycle)
            yield Outcome(cell=cell, status="ok")
        yield Done()


def _seen(arrays: Sequence[NDArray[Any]]) -> dict[str, float]:
    """What can be said of arrays: equal arrays, equal figures."""
    return {
        f"{number} {array.dtype.str} {array.shape}": float(np.dot(array.ravel(), np.arange(array.size)))
        for number, array in enumerate(arrays)
    }


EXPECTED = _seen(ARRAYS)


def _cell(sampler: str) -> Cell:
    return Cell(label=sampler, sampler=sampler, params={}, distribution="", seed=0, key=sampler)


def _group(*cells: Cell) -> Group:
    return Group(cells=cells, chosen={cell.name: () for cell in cells})


def _received(executor: Executor[Any], worker: Worker) -> Iterator[Message]:
    """What a worker says, until it has ended its group, or is lost."""
    while True:
        until = time.monotonic() + PATIENCE
        while not [*executor.wait([worker], 1.0)]:
            assert time.monotonic() < until, f"the worker has said nothing for {PATIENCE:.0f} s"
        message = worker.receive()
        if message is None:
            return
        yield message
        if isinstance(message, Done):
            return
        if executor.exclusive and not isinstance(message, Begun | At):
            worker.proceed()


def _all(executor: Executor[Any], worker: Worker, *cells: Cell) -> list[Message]:
    worker.send(_group(*cells))
    return [*_received(executor, worker)]


def _until(executor: Executor[Any], worker: Worker, kind: type[M]) -> M:
    """The next message of this kind, which is not handled yet."""
    for message in _received(executor, worker):
        if isinstance(message, kind):
            return message
    raise AssertionError(f"the worker has not sent {kind.__name__}")


def _lives(number: int) -> bool:
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
