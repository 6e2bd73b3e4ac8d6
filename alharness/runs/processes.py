"""The processes that plugins run in: each is ended with all that it has started, and none is left behind."""

from __future__ import annotations

import faulthandler
import gc
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing import forkserver, resource_tracker
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from alharness.errors import SpecError, described
from alharness.registry.sending import pack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext, ForkServerProcess
    from pathlib import Path

PATIENCE = 1.0
"""Seconds in which a process whose end was seen must be gone."""
SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""Without it, the server would look for modules in the current folder first, where another `alharness` may be."""
PASSIVE = {"OMP_WAIT_POLICY": "passive"}
"""OpenMP reads it when torch is imported. Threads that wait by spinning compete for the cores with all other work:
next to one busy process on two cores a query took 50 times as long."""


def start_server() -> ForkServerContext:
    """Start the server that all processes are forked from: it imports torch once, while this process continues.

    Raises:
        SpecError: the folder for temporary files holds no sockets: the names of sockets must be short.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["alharness.runs.worker", "alharness.runs.loader"])
    # Terminals and Jupyter send SIGINT to all processes of a group. The server ignores it when its modules are
    # imported; before, it would end, and the next run of this process with it. SIGUSR1, which stops a run between
    # cycles, may be sent to all processes of a job: the server and what is forked from it never get it.
    with _environment(PASSIVE | dict(os.environ) | SAFE_PATH), held_back(signal.SIGUSR1):
        resource_tracker.ensure_running()  # the server needs it, and would start it with SIGINT let through
        with held_back(signal.SIGINT):
            try:
                forkserver.ensure_running()
            except OSError as error:
                raise SpecError(
                    f"{tempfile.gettempdir()}: sockets of processes cannot be made there ({described(error)}); "
                    "set TMPDIR to another folder with a short name, such as /tmp"
                ) from error
    return context


class Processes:
    """Starts processes; at the end of the block all of them are ended.

    Each leads a process group of its own, so that whatever a plugin has started in it ends with it. A keeper,
    which runs no plugin, ends them if this process is killed.
    """

    def __init__(self) -> None:
        self._context: ForkServerContext | None = None
        self._keeper: Child | None = None
        self._alive: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for child in [*self._alive, *([self._keeper] if self._keeper else [])]:
            child.end()

    def start(self, target: str, output: Path, *arguments: Any) -> Child:
        """Start a process.

        Args:
            target: `module:function`; called with a connection to this process, and the arguments.
            output: file that it prints to.
            arguments: what can be sent: classes that no module holds are sent as they are.

        Raises:
            PluginError: the arguments cannot be sent.
        """
        payload = pack(arguments)
        if self._keeper is None:
            self._keeper = self._fork(f"{__name__}:keep", os.devnull, pickle.dumps(()))
        child = self._fork(target, str(output), payload)
        self._alive.append(child)
        self._tell_keeper()
        return child

    def end(self, child: Child) -> None:
        """End a process, whatever it is doing, and what it has started."""
        child.end()
        self._alive.remove(child)
        self._tell_keeper()

    def _fork(self, target: str, output: str, payload: bytes) -> Child:
        self._context = self._context or start_server()
        connection, far = self._context.Pipe()
        process = self._context.Process(target=enter, args=(target, far, dict(os.environ), output, payload))
        with _without_main():
            process.start()
        far.close()
        return Child(process, connection)

    def _tell_keeper(self) -> None:
        assert self._keeper is not None
        with suppress(OSError):  # without a keeper all else works
            self._keeper.connection.send([child.pid for child in self._alive])


class Child:
    """The other end of a process.

    Attributes:
        connection: to it.
        pid: its number, and that of its process group.
    """

    def __init__(self, process: ForkServerProcess, connection: Connection) -> None:
        assert process.pid is not None
        self._process = process
        self.connection = connection
        self.pid = process.pid

    def say(self, message: object) -> None:
        """Send it something. If it is dead, `hear` reports that."""
        with suppress(OSError):
            self.connection.send(message)

    def hear(self) -> Any | None:
        """What it says next; None if it says nothing more: it is dead, or as good as dead."""
        try:
            return self.connection.recv()
        except Exception:  # noqa: BLE001 - the end, or what no child of ours sends: a plugin wrote to the pipe
            self.wait()
            return None

    def wait(self) -> None:
        """Give it time to be gone, whose end was seen: `fate` knows more then."""
        self._process.join(PATIENCE)

    @property
    def exit_code(self) -> int | None:
        """Minus the number of a signal; None while it lives."""
        return self._process.exitcode

    @property
    def fate(self) -> str:
        """How it ended, in words."""
        code = self.exit_code
        if code is None:
            return "stopped answering"
        return f"was ended by {_signal_name(-code)}" if code < 0 else f"ended with {code}"

    def end(self) -> None:
        """End it, with what it has started."""
        _end_group(self.pid)
        self._process.kill()  # unless it is dead already, so that its number may be another's
        self._process.join()
        self.connection.close()


def enter(target: str, connection: Connection, environment: dict[str, str], output: str, payload: bytes) -> None:
    """What a child does first: it is made independent of the terminal and of the server it was forked from."""
    # What the server has imported stays, and a recording of a model makes many objects: to look for garbage as
    # often as usual, and in all of them, took a third of the time of a first trial.
    gc.freeze()
    gc.set_threshold(50_000)
    with suppress(PermissionError):  # the leader of a session is the leader of its group already
        os.setpgid(0, 0)
    # Ctrl-C is for the coordinating process, which decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(environment)
    print_to(output)
    module, _, name = target.partition(":")
    getattr(import_module(module), name)(connection, *pickle.loads(payload))  # noqa: S301 - of our own process


def keep(connection: Connection) -> None:
    """Hear which processes are at work, and end them if the sender is gone, however it ended."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    alive: list[int] = []
    while True:
        try:
            alive = connection.recv()
        except (EOFError, OSError):
            break
    for pid in alive:
        _end_group(pid)
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def print_to(path: Path | str) -> None:
    """Standard output and error at the end of a file from now on, also those of native code.

    If it cannot be opened, what is printed is lost: on a full disk, or if it is a link, whose target is not ours.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # a plugin may have put anything there
            stream.flush()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o666)
    except OSError:
        descriptor = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(descriptor, number)
    os.close(descriptor)
    faulthandler.enable(file=2)  # shows the place of a crash in native code


def remove_empty(path: Path) -> None:
    """Remove a file of outputs that nothing was written to."""
    with suppress(OSError):
        if path.stat().st_size == 0:
            path.unlink()


def _end_group(pid: int) -> None:
    """End what has started in a process. The group is made by the process itself, a moment after its birth."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextmanager
def held_back(*signals: signal.Signals) -> Iterator[None]:
    """Inside, these signals wait; processes that are started inside do not get them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def postponed(*signals: signal.Signals) -> Iterator[None]:
    """Inside, the handlers of these signals wait, whichever thread of this process gets a signal.

    `held_back` is of one thread alone: if there is another one, that gets the signal, and Python calls the handler
    in the main thread all the same.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers are called in the main thread only
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in signals}
    own = {number: handler for number, handler in before.items() if handler is not None}
    for number in own:
        signal.signal(number, lambda one, _: came.append(one))
    try:
        yield
    finally:
        for number, handler in own.items():
            signal.signal(number, handler)
        for one in came:
            signal.raise_signal(one)


@contextmanager
def _without_main() -> Iterator[None]:
    """Start children inside: they do not import the caller's main module.

    multiprocessing has each child import it, and so run a script once more that has no
    `if __name__ == "__main__"`. Here nothing is needed of it: cloudpickle sends its classes.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
