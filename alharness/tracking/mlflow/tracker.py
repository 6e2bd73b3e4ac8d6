"""The observer that keeps MLflow up to date, in a thread of its own: no store delays a cell, whatever it does.

The journals are the truth. The thread keeps no data, only the names of cells that changed. What could not be
written is tried again later, in the end, and by `alharness sync`.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from alharness.api.hooks import hookimpl
from alharness.api.tracker import Tracker
from alharness.errors import TrackingError
from alharness.text.words import command_line

from .patience import Pulse, silence
from .store import explain, resolve
from .writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from alharness.api.records import Cell, CycleRecord, Outcome, Outcomes, Plan
    from alharness.tracking.plugin import MlflowParams

    from .store import Store

WRITE_EVERY = 30.0
"""Seconds between two writes while a cell is at work: they take tens of milliseconds."""
RETRY_AFTER, RETRY_AT_MOST = 2.0, 60.0
"""Seconds until a failed write is tried again; twice as many after each failure, up to the last."""
LOST_AFTER = 2
"""Failures in a row of which the user hears, once until the store is back: the first may be a hiccup."""
LAST_TRIES = 2
"""In the end."""
LONGEST_END = 120.0
"""Seconds in the end for a server that answers, but slowly, unless tracking is required."""
AFTER_A_SIGNAL = 20.0
"""The same for a run that was asked to stop: batch systems kill half a minute later."""
POLL = 0.05


class MlflowTracker(Tracker):
    """Writes cells to MLflow. A store that is down costs a warning, never the run.

    Args:
        settings: the store to write to.
        warn: gets the warning that tracking is offline, and why; called from another thread.
        required: raise TrackingError before the first cell if the store cannot be opened, and after the last one
            if not everything could be written.
    """

    def __init__(self, settings: MlflowParams, warn: Callable[[str], None], *, required: bool) -> None:
        self._settings = settings
        self._tell = warn
        self._required = required
        self._pulse = Pulse()
        self._writer: Writer | None = None
        self._failure: TrackingError | None = None
        self._failures = 0
        # What follows is guarded by the condition.
        self._changed = threading.Condition()
        self._behind: dict[Cell, Outcome | None] = {}
        self._end: Outcomes | None = None
        self._due = time.monotonic()
        self._tried = False
        self._done = False
        self._given_up = False

    @property
    def store(self) -> Store | None:
        """The store in use; None while offline."""
        return self._writer.store if self._writer and not self._given_up else None

    def where(self) -> str:
        """How to open the store; empty while offline."""
        return self.store.how_to_open if self.store else ""

    @hookimpl
    def alharness_run_started(self, run: Plan) -> None:
        """Open the store if it is required. Otherwise the first fit has the machine to itself: MLflow comes later.

        Raises:
            TrackingError: it is required and cannot be opened.
        """
        self._pulse.begin()
        self._due = time.monotonic() + (0 if self._required else WRITE_EVERY)
        threading.Thread(target=self._work, args=(run,), daemon=True, name="tracking").start()
        if self._required and not self._wait(lambda: self._tried):
            raise self._give_up()

    @hookimpl
    def alharness_cycle_finished(self, run: Plan, cell: Cell, cycle: CycleRecord) -> None:
        """Note that a journal has grown; it is written soon."""
        del run, cycle
        with self._changed:
            self._behind[cell] = None
            self._changed.notify_all()

    @hookimpl
    def alharness_cell_ended(self, run: Plan, record: Outcome) -> None:
        """Note how a cell ended; it is written at once."""
        del run
        with self._changed:
            self._behind[record.cell] = record
            if not self._failures:
                self._due = time.monotonic()
            self._changed.notify_all()

    @hookimpl
    def alharness_run_finished(self, run: Plan, record: Outcomes) -> None:
        """Bring every cell up to its journal, also what the store missed, and close it.

        Raises:
            TrackingError: tracking is required, and not everything could be written.
        """
        with self._changed:
            self._pulse.begin()
            self._end = record
            self._changed.notify_all()
        if self._wait(lambda: self._done, self._longest_end(record)):
            return
        error = self._give_up()
        again = command_line("sync", str(run.folder))
        text = f"{error}. The results are safe in the journals; write them to MLflow later with: {again}"
        if self._required:
            raise TrackingError(text) from error
        self._tell(text)

    def _longest_end(self, record: Outcomes) -> float:
        """Seconds for the last write as a whole."""
        if record.interrupted:
            return AFTER_A_SIGNAL
        return LONGEST_END if self._pulse.remote and not self._required else math.inf

    def _wait(self, until: Callable[[], bool], seconds: float = math.inf) -> bool:
        """Wait for the thread; False if it failed, or if MLflow gives no sign of life."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not until():
                if self._pulse.is_silent or time.monotonic() > deadline:
                    return False
                self._changed.wait(POLL)
            return self._failure is None

    def _give_up(self) -> TrackingError:
        """Let the thread end, whenever the call that it waits for lets it; says what is wrong."""
        with self._changed:
            self._given_up = self._done = True
            self._changed.notify_all()
            return self._failure or TrackingError(silence(self._where(), self._pulse.patience))

    def _work(self, run: Plan) -> None:
        tries = 0
        while (work := self._next()) is not None:
            behind, end = work
            failure = self._write(run, behind, end)
            tries += end is not None
            with self._changed:
                self._tried, self._failure, now = True, failure, time.monotonic()
                if failure is None:
                    self._failures = 0
                    self._due = now if any(self._behind.values()) else now + WRITE_EVERY
                else:
                    self._failures += 1
                    self._behind = {**behind, **self._behind}
                    self._due = now + min(RETRY_AFTER * 2 ** (self._failures - 1), RETRY_AT_MOST)
                self._done = self._done or (end is not None and (failure is None or tries == LAST_TRIES))
                self._changed.notify_all()
            if self._failures == LOST_AFTER and end is None:
                self._warn(
                    f"{failure}. Tracking is offline; results are safe in the journals, and it is tried again in "
                    "the background"
                )

    def _next(self) -> tuple[dict[Cell, Outcome | None], Outcomes | None] | None:
        """Wait for something to do: cells, or the end; None if there is no more.

        A store that is required is opened first.
        """
        with self._changed:
            while not self._done:
                waiting = bool(self._behind or self._failures or (self._required and not self._tried))
                seconds = self._due - time.monotonic()
                if self._end or (waiting and seconds <= 0):
                    behind, self._behind = self._behind, {}
                    return behind, self._end
                self._changed.wait(seconds if waiting else None)
            return None

    def _write(self, run: Plan, behind: dict[Cell, Outcome | None], end: Outcomes | None) -> TrackingError | None:
        try:
            if self._writer is None:
                self._writer = Writer(run, self._settings, self._pulse, self._warn)
            if end:
                self._writer.finish(end)
            else:
                self._writer.write(behind)
        except Exception as error:  # noqa: BLE001 - MLflow may raise anything, and the run continues
            self._writer = None  # what the store holds now is not known: the next try looks
            return error if isinstance(error, TrackingError) else TrackingError(explain(error, self._where()))
        return None

    def _where(self) -> str:
        try:
            return resolve(self._settings.uri)
        except ImportError:
            return self._settings.uri or "its default store"

    def _warn(self, text: str) -> None:
        if not self._given_up:
            self._tell(text)
