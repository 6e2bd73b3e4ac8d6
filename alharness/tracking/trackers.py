"""The trackers of a spec as observers of its run: one that fails costs a warning, unless tracking is required."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alharness.api.hooks import hookimpl
from alharness.api.tracker import Tracker, TrackerContext
from alharness.errors import TrackingError, described
from alharness.registry.discovery import make_manager, register

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from alharness.api.records import Cell, CycleRecord, Outcome, Outcomes, Plan
    from alharness.api.tracker import TrackerPlugin
    from alharness.spec import Chosen


def make_trackers(
    chosen: Iterable[Chosen[TrackerPlugin]], warn: Callable[[str], None], *, required: bool = False
) -> list[SafeTracker]:
    """The trackers of a spec; those that cannot be made are left out with a warning.

    Args:
        chosen: of the spec.
        warn: shows a warning; called from any thread.
        required: fail instead of warning.

    Raises:
        TrackingError: tracking is required, and a tracker cannot be made.
    """
    trackers = [SafeTracker(tracker, warn, required=required) for tracker in chosen]
    return [tracker for tracker in trackers if tracker.made]


class SafeTracker:
    """Calls the hooks of one tracker and turns its exceptions into warnings, each once.

    Args:
        chosen: the tracker's plugin and its parameters.
        warn: shows a warning.
        required: raise TrackingError instead.

    Attributes:
        title: how the last lines of a run name it.
        made: whether there is a tracker.
    """

    def __init__(self, chosen: Chosen[TrackerPlugin], warn: Callable[[str], None], *, required: bool) -> None:
        self.title = chosen.plugin.title or chosen.name
        self._who = f"the tracker {chosen.name!r} of {chosen.registered.origin}"
        self._warn, self._required = warn, required
        self._warned: set[str] = set()
        self._tracker = Tracker()
        self._manager = make_manager()
        self.made = self._try("it cannot be made", lambda: self._make(chosen))

    def where(self) -> str:
        """Place of its results; empty if it does not say."""
        found = [""]
        self._try("where", lambda: found.append(str(self._tracker.where() or "")))
        return found[-1]

    @hookimpl
    def alharness_run_started(self, run: Plan) -> None:
        """See `alharness.api.hooks`, also for the other three."""
        self._call("alharness_run_started", run=run)

    @hookimpl
    def alharness_cycle_finished(self, run: Plan, cell: Cell, cycle: CycleRecord) -> None:
        """Forward a cycle."""
        self._call("alharness_cycle_finished", run=run, cell=cell, cycle=cycle)

    @hookimpl
    def alharness_cell_ended(self, run: Plan, record: Outcome) -> None:
        """Forward the end of a cell."""
        self._call("alharness_cell_ended", run=run, record=record)

    @hookimpl
    def alharness_run_finished(self, run: Plan, record: Outcomes) -> None:
        """Forward the end of the run."""
        self._call("alharness_run_finished", run=run, record=record)

    def _make(self, chosen: Chosen[TrackerPlugin]) -> None:
        context = TrackerContext(warn=self._warn, required=self._required)
        made = chosen.plugin.make(chosen.params, context)
        if not isinstance(made, Tracker):
            raise TypeError(f"`make` returned {type(made).__name__}, not an alharness.Tracker")
        register(self._manager, made)
        self._tracker = made

    def _call(self, hook: str, **records: Any) -> None:
        self._try(hook, lambda: getattr(self._manager.hook, hook)(**records))

    def _try(self, moment: str, action: Callable[[], object]) -> bool:
        """Whether it went well."""
        try:
            action()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # MLflow's own messages, say, are complete sentences.
            text = str(error) if isinstance(error, TrackingError) else f"{self._who}: {moment}: {described(error)}"
            if self._required:
                raise TrackingError(text) from error
            if text not in self._warned:
                self._warned.add(text)
                self._warn(f"{text}. The run continues")
            return False
        return True
