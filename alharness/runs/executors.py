"""The executor of a run, made and called with care: whatever goes wrong in it is an error that names it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from alharness.api.executor import Executor, Worker
from alharness.api.params import Params
from alharness.errors import HarnessError, PluginError, SpecError, blaming

from .local import LocalExecutor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from typing import Self

    from alharness.api.executor import ExecutorContext, ExecutorPlugin, Group, Held, Loss, Message, Work
    from alharness.spec import Chosen


class SafeExecutor:
    """Calls an executor and its workers; when the block ends, it is closed.

    Args:
        executor: the executor.
        who: it and its distribution, for messages.
        warn: called with what the user should know.

    Raises:
        PluginError: in every call, if the executor fails; a HarnessError of its own passes.
    """

    def __init__(self, executor: Executor[Any], who: str, warn: Callable[[str], None]) -> None:
        self._executor, self.who, self._warn = executor, who, warn
        self._blaming = partial(blaming, who, PluginError, passing=(HarnessError,))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._harmless(self._executor.close)

    @property
    def width(self) -> int:
        """Most workers at a time."""
        return self._executor.width

    @property
    def grace(self) -> float:
        """Seconds that a worker may take to start."""
        return self._executor.grace

    @property
    def exclusive(self) -> bool:
        """Whether nothing else is computed while a query is measured."""
        return self._executor.exclusive

    def device(self, wish: str) -> str:
        """Type of device that workers compute on; empty for the one that they take on this machine.

        Args:
            wish: `auto`, or the one that the spec asks for.

        Raises:
            SpecError: it asks for another one than there is.
        """
        has = self._executor.device
        if has and wish == "cuda" and has != wish:
            more = "ask it for GPUs, or set training.device to auto"
            raise SpecError(f"training.device is {wish}, but {self.who} has workers on {has}; {more}")
        return wish if has and wish != "auto" else has

    def open(self, work: Work, most: int) -> None:
        """See `Executor`, also for the others."""
        with self._blaming():
            self._executor.open(work, most)

    def hold(self, makes: Sequence[Callable[[], Any]]) -> SafeHeld:
        """See `Executor`."""
        with self._blaming():
            return SafeHeld(self._executor.hold(makes), self._blaming)

    def start(self) -> Worker:
        """A new worker."""
        with self._blaming():
            worker = self._executor.start()
            if not isinstance(worker, Worker):
                raise TypeError(f"start returned {type(worker).__name__}, not a Worker")
            return worker

    def wait(self, workers: Sequence[Worker], seconds: float) -> list[Worker]:
        """Those that have something to say."""
        with self._blaming():
            return [*self._executor.wait(workers, seconds)]

    def send(self, worker: Worker, group: Group) -> None:
        """Have a worker compute a group."""
        with self._blaming():
            worker.send(group)

    def receive(self, worker: Worker) -> Message | None:
        """The next message of a worker."""
        with self._blaming():
            return worker.receive()

    def proceed(self, worker: Worker) -> None:
        """The last message of a worker was handled."""
        with self._blaming():
            worker.proceed()

    def loss(self, worker: Worker) -> Loss:
        """Why a worker is lost."""
        with self._blaming():
            return worker.loss()

    def end(self, worker: Worker) -> None:
        """End a worker. If that fails, all others must be ended all the same."""
        self._harmless(worker.end)

    def _harmless(self, action: Callable[[], None]) -> None:
        """What is finished stays finished if this fails."""
        try:
            with self._blaming():
                action()
        except HarnessError as error:
            self._warn(str(error))


class SafeHeld:
    """Calls `Held` of an executor; what goes wrong there is an error that names it."""

    def __init__(self, held: Held, blaming: Callable[[], AbstractContextManager[None]]) -> None:
        self._held, self._blaming = held, blaming

    def __len__(self) -> int:
        return len(self._held)

    def call(self, name: str, *arguments: Sequence[Any]) -> list[Any]:
        """See there."""
        with self._blaming():
            return self._held.call(name, *arguments)


def who(chosen: Chosen[ExecutorPlugin]) -> str:
    """An executor and its distribution, for messages."""
    return f"the executor {chosen.name!r} of {chosen.registered.origin}"


def make_executor(chosen: Chosen[ExecutorPlugin] | None, context: ExecutorContext) -> SafeExecutor:
    """The executor that a call has chosen; by default processes of this machine.

    Raises:
        HarnessError: nothing can be computed there.
    """
    if chosen is None:
        return SafeExecutor(LocalExecutor(Params(), context), "the executor 'processes'", context.warn)
    with blaming(who(chosen), PluginError, passing=(HarnessError,)):
        made = chosen.plugin.make(chosen.params, context)
        if not isinstance(made, Executor):
            raise TypeError(f"make returned {type(made).__name__}, not an Executor")
        if not (isinstance(made.width, int) and made.width >= 1):
            raise ValueError(f"its width is {made.width!r}: expected a whole number from 1 on")
    return SafeExecutor(made, who(chosen), context.warn)
