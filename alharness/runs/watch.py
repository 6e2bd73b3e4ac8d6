"""Watches a process at work: how long it takes, how long it is silent, how much memory it holds."""

from __future__ import annotations

import time
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil

from alharness.text.numbers import memory, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from alharness.api.records import Status
    from alharness.spec.settings import LimitsSettings

    from .processes import Child

SILENCE = 60.0
"""Seconds of silence that are never mentioned."""
UNUSUAL = 5
"""Silence is mentioned if it lasts so many times as long as the longest one of the run."""
START = 60.0
"""Seconds in which a process may start before its time begins to run. Importing torch may take long."""
LOOK_EVERY = 0.2
"""Seconds between two looks at the memory of a process, if it is limited."""
STATES = {
    psutil.STATUS_STOPPED: "its process is stopped by a signal",
    psutil.STATUS_RUNNING: "its process computes",
    psutil.STATUS_DISK_SLEEP: "its process waits for a disk",
}


class Exceeded(NamedTuple):
    """How work ends that has taken more than it may."""

    status: Status
    error: str


class Watch:
    """A process at work.

    Args:
        child: the process.
        what: what it works at, for messages.
        limits: what it may take.

    Attributes:
        child: the process.
        allowed: seconds that what it does now may take; None for no limit.
    """

    def __init__(self, child: Child, what: str, limits: LimitsSettings) -> None:
        self.child, self._what, self._limits = child, what, limits
        self.allowed = limits.cell_timeout
        self._kills = kills_for_memory()
        self._mentioned = 0
        self._heard = time.monotonic()
        self._since = self._heard + START

    def begin(self) -> None:
        """The work begins now; what came before was the start of the process."""
        self._since = self._heard = time.monotonic()

    def lap(self) -> float:
        """Something else is done from now on; gives the seconds of what was done before."""
        now = time.monotonic()
        took, self._since = max(0.0, now - self._since), now
        return took

    def excuse(self, seconds: float) -> None:
        """Leave out these last seconds, in which it had to wait for this process."""
        self._since += seconds
        self._heard += seconds

    def heard(self) -> float:
        """Note that it has spoken; gives the seconds since it last did."""
        now = time.monotonic()
        silent, self._heard, self._mentioned = now - self._heard, now, 0
        return silent

    def patience(self, longest: float) -> float:
        """Seconds until something may be due, if it stays silent. `longest` is the longest silence so far."""
        now = time.monotonic()
        due = [self._heard + self._quiet(longest)]
        if self.allowed is not None:
            due.append(self._since + self.allowed)
        if self._limits.memory is not None:
            due.append(now + LOOK_EVERY)
        return max(0.0, min(due) - now)

    def exceeded(self) -> Exceeded | None:
        """How the work ends if it has taken more than it may."""
        limit, most = self._limits.cell_timeout, self._limits.memory
        if limit is not None and self.allowed is not None and time.monotonic() - self._since >= self.allowed:
            return Exceeded(
                status="timeout",
                error=f"not finished after {seconds(limit)} (limits.cell_timeout); its process was ended",
            )
        if most is not None and (held := own_memory(self.child.pid)) > most:
            return Exceeded(
                status="oom",
                error=f"its process held {memory(held)} and was ended; limits.memory is {memory(most)}",
            )
        return None

    def killed_for_memory(self) -> bool:
        """Whether the kernel has ended a process because memory ran out since this one began."""
        return kills_for_memory() > self._kills

    def mention_silence(self, longest: float, warn: Callable[[str], None]) -> None:
        """Say so if it has been silent for long; the next time after twice as long."""
        silent = time.monotonic() - self._heard
        if silent < self._quiet(longest):
            return
        self._mentioned += 1
        limit = self._limits.cell_timeout
        what = (
            f"it is ended after {seconds(limit)} (limits.cell_timeout)"
            if limit is not None
            else "limits.cell_timeout ends such a cell, with limits.cell_timeout=1h say"
        )
        usual = f" (at most {seconds(longest)} so far)" if longest else ""
        warn(f"{self._what}: silent for {seconds(silent)}{usual}; {self._state()}; {what}")

    def _quiet(self, longest: float) -> float:
        return float(max(SILENCE, UNUSUAL * longest) * 2**self._mentioned)

    def _state(self) -> str:
        with suppress(psutil.Error):
            return STATES.get(psutil.Process(self.child.pid).status(), "its process waits")
        return "its process is gone"


def listen(watches: Collection[Watch], longest: float, warn: Callable[[str], None]) -> Iterator[tuple[Watch, Any]]:
    """What processes say: messages, None from one that has ended, and `Exceeded` of one that is to be ended.

    Waits until one has something to say; perhaps none has, when it is time to look at groups again.

    Args:
        watches: the processes.
        longest: seconds of the longest silence so far.
        warn: called if one has been silent for long.
    """
    patience = min((watch.patience(longest) for watch in watches), default=0.0)
    ready = wait([watch.child.connection for watch in watches], patience)
    for watch in watches:
        if watch.child.connection in ready or watch.child.has_spoken():
            yield watch, watch.child.hear()
        elif exceeded := watch.exceeded():
            yield watch, exceeded
        else:
            watch.mention_silence(longest, warn)


def own_memory(pid: int) -> int:
    """Bytes of memory that a process holds, without what it maps from files; 0 if it is gone.

    Linux reports both; elsewhere it is the resident memory.
    """
    with suppress(OSError, ValueError):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
        held = [int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:"))]
        if held:
            return sum(held) * 1024
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def kills_for_memory() -> int:
    """How often the kernel has ended a process because memory ran out; 0 if it does not say."""
    with suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text(encoding="utf-8").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
