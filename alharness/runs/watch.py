"""Watches a worker: how long it takes, how long it is silent, how much memory it holds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from alharness.text.numbers import memory, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from alharness.api.executor import Worker
    from alharness.api.records import Status
    from alharness.spec.settings import LimitsSettings

SILENCE = 60.0
"""Seconds of silence that are never mentioned."""
UNUSUAL = 5
"""Silence is mentioned if it lasts so many times as long as the longest one of the run."""
START = 60.0
"""Seconds in which a process may start before its time begins to run. Importing torch may take long."""
LONGEST_WAIT = 10.0
"""Seconds after which it is time to look at all else, such as whether the run is to stop."""
LOOK_EVERY = 0.2
"""Seconds between two looks at the memory of a process, if it is limited."""


class Exceeded(NamedTuple):
    """How work ends that has taken more than it may."""

    status: Status
    error: str


class Watch:
    """A worker at work.

    Args:
        worker: the worker.
        what: what it works at, for messages.
        limits: what it may take.
        grace: seconds in which it may start before its time begins to run.

    Attributes:
        worker: the worker.
        allowed: seconds that what it does now may take; None for no limit.
    """

    def __init__(self, worker: Worker, what: str, limits: LimitsSettings, grace: float = START) -> None:
        self.worker, self._what, self._limits = worker, what, limits
        self.allowed = limits.cell_timeout
        self._mentioned = 0
        self._heard = time.monotonic()
        self._since = self._heard + grace
        self._process = f"its process on {worker.where}" if worker.where else "its process"

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
                error=f"not finished after {seconds(limit)} (limits.cell_timeout); {self._process} was ended",
            )
        if most is not None and (held := self.worker.memory() or 0) > most:
            return Exceeded(
                status="oom",
                error=f"{self._process} held {memory(held)} and was ended; limits.memory is {memory(most)}",
            )
        return None

    def is_silent(self, longest: float) -> bool:
        """Whether it has been silent for so long that this should be said."""
        return time.monotonic() - self._heard >= self._quiet(longest)

    def mention_silence(self, longest: float, warn: Callable[[str], None]) -> None:
        """Say that it is silent; the next time after twice as long."""
        silent = time.monotonic() - self._heard
        self._mentioned += 1
        limit = self._limits.cell_timeout
        what = (
            f"it is ended after {seconds(limit)} (limits.cell_timeout)"
            if limit is not None
            else "limits.cell_timeout ends such a cell, with limits.cell_timeout=1h say"
        )
        usual = f" (at most {seconds(longest)} so far)" if longest else ""
        warn(f"{self._what}: silent for {seconds(silent)}{usual}; {self.worker.state()}; {what}")

    def _quiet(self, longest: float) -> float:
        return float(max(SILENCE, UNUSUAL * longest) * 2**self._mentioned)


def listen(
    watches: Collection[Watch],
    wait: Callable[[Sequence[Worker], float], Collection[Worker]],
    longest: float,
    warn: Callable[[str], None],
) -> Iterator[tuple[Watch, Exceeded | None]]:
    """The workers that have something to say, with None, and those that are to be ended, with the reason.

    Waits until there is one; perhaps there is none, when it is time to look at groups again.

    Args:
        watches: the workers.
        wait: see `Executor.wait`.
        longest: seconds of the longest silence so far.
        warn: called if one has been silent for long.
    """
    patience = min((min(LONGEST_WAIT, watch.patience(longest)) for watch in watches), default=0.0)
    speaking = wait([watch.worker for watch in watches], patience)
    for watch in watches:
        if watch.worker in speaking:
            yield watch, None
            continue
        exceeded, silent = watch.exceeded(), watch.is_silent(longest)
        if not (exceeded or silent) or wait([watch.worker], 0.0):  # it has spoken meanwhile, and is heard next
            continue
        if exceeded:
            yield watch, exceeded
        else:
            watch.mention_silence(longest, warn)
