"""What plugins can change in the process, as the operating system keeps it."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from .trait import Trait, cannot, listed, names, nothing


def traits() -> list[Trait]:
    """Everything that is inherited by or shared among all code of the process."""
    return [
        *_signals(),
        Trait(
            "environment variables",
            lambda: dict(os.environ),
            _restore_environment,
            shown=names,
            loudness="quiet after imports",
        ),
        Trait("the current folder", os.getcwd, os.chdir),
        Trait("the umask", _umask, os.umask, shown=lambda a, b: f"{a:03o} → {b:03o}"),
        *(_descriptor(number) for number in (0, 1, 2)),
        *_limits(),
        Trait(
            "threads that keep running",
            _threads,
            cannot,
            same=lambda before, after: all(map(_ends, after - before)),
            shown=lambda before, after: listed(sorted(thread.name for thread in after - before)),
        ),
        Trait(
            "processes that keep running",
            _children,
            _end_children,
            same=lambda before, after: after <= before,
            shown=lambda before, after: listed([f"{name}, {pid}" for pid, name in sorted(after - before)]),
        ),
    ]


def _signals() -> list[Trait]:
    signals = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
    timers = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
    return [
        Trait(
            "an alarm that is still to ring",
            lambda: [signal.getitimer(timer)[0] > 0 for timer in timers],
            lambda before: [
                signal.setitimer(timer, 0) for timer, was_on in zip(timers, before, strict=True) if not was_on
            ],
            shown=nothing,
        ),
        Trait(
            "signal handlers",
            lambda: {number: signal.getsignal(number) for number in signals},
            _restore_handlers,
            shown=lambda before, after: listed([_signal(n) for n in before if before[n] != after[n]]),
        ),
        Trait(
            "blocked signals",
            lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()),
            lambda before: signal.pthread_sigmask(signal.SIG_SETMASK, before),
            shown=nothing,
        ),
    ]


def _restore_handlers(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        if handler is not None and signal.getsignal(number) != handler:
            signal.signal(number, handler)


def _signal(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else str(number)


def _restore_environment(before: dict[str, str]) -> None:
    zone = os.environ.get("TZ")
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)
    if zone != before.get("TZ"):
        time.tzset()


def _umask() -> int:
    # Setting it is the only way to read it on every system.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _descriptor(number: int) -> Trait:
    """The target of a standard stream of native code, kept open by a copy of the descriptor."""
    return Trait(
        f"file descriptor {number}",
        lambda: _Open(number),
        lambda before: before.put_back(),
        same=lambda before, after: bool(before.goes == after.goes),
        shown=nothing,
    )


class _Open:
    """An open descriptor: its target, and a copy by which it can be put back."""

    def __init__(self, number: int) -> None:
        self._number, self._copy = number, -1
        status = os.fstat(number)
        self.goes = (status.st_dev, status.st_ino)
        # Out of the way of a plugin that closes the first few.
        self._copy = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 64)

    def put_back(self) -> None:
        os.dup2(self._copy, self._number)

    def __del__(self) -> None:
        with suppress(OSError):
            os.close(self._copy)


def _restore_limits(before: dict[int, tuple[int, int]]) -> None:
    for kind, pair in before.items():
        if resource.getrlimit(kind) != pair:
            resource.setrlimit(kind, pair)


def _limits() -> list[Trait]:
    kinds = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
    traits = [
        Trait(
            "limits of resources",
            lambda: {kind: resource.getrlimit(kind) for kind in kinds},
            _restore_limits,
            shown=nothing,
        ),
        Trait(
            "the priority of the process",
            lambda: os.getpriority(os.PRIO_PROCESS, 0),
            lambda before: os.setpriority(os.PRIO_PROCESS, 0, before),
        ),
    ]
    if hasattr(os, "sched_getaffinity"):
        traits.append(
            Trait(
                "the processors it may use",
                lambda: os.sched_getaffinity(0),
                lambda before: os.sched_setaffinity(0, before),
            )
        )
    return traits


PATIENCE = 0.5
"""Seconds in which a thread that a plugin started may still come to its end."""


def _threads() -> set[threading.Thread]:
    """Threads that a plugin is responsible for: not daemons of libraries that watch something."""
    return {thread for thread in threading.enumerate() if not (thread.daemon and _is_of_a_library(thread))}


def _is_of_a_library(thread: threading.Thread) -> bool:
    if type(thread) is not threading.Thread:
        return True
    module = getattr(getattr(thread, "_target", None), "__module__", None) or ""
    return module.partition(".")[0] in {*sys.stdlib_module_names, "alharness"}


def _ends(thread: threading.Thread) -> bool:
    thread.join(PATIENCE)
    return not thread.is_alive()


TRACKERS = ("resource_tracker", "semaphore_tracker", "forkserver", "loky")
"""In the command lines of processes that libraries start once and keep; they do no harm."""


def _children() -> set[tuple[int, str]]:
    """Process ids and names of this process's children, as far as the system reports them."""
    found = set()
    # Of the main thread, which runs plugins; those of others would take as long as all traits together.
    with suppress(OSError):  # one has ended, or the system does not report it
        pids = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        if pids:
            for pid in map(int, pids):
                about = Path(f"/proc/{pid}")
                command = (about / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                ended = (about / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
                if not ended and not any(name in command for name in TRACKERS):
                    found.add((pid, (about / "comm").read_text().strip()))
    return found


def _end_children(before: set[tuple[int, str]]) -> None:
    for pid, _ in _children() - before:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
