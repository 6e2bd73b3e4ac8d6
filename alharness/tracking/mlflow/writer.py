"""One flat MLflow run per cell, a copy of the cell's journal.

Writing is idempotent: metrics carry the journal's timestamps, a run is found again by its cell, and what it has is
compared with what it must have. So whatever call failed, the next write completes it.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from alharness import faults
from alharness.api.records import Outcome
from alharness.errors import RunError
from alharness.report.pictures import REFERENCE, styles
from alharness.runs import journal
from alharness.text.words import name_experiment

from . import dashboard, payload
from .experiments import CHANGED
from .store import Store, explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mlflow.entities import Metric, Run

    from alharness.api.records import Cell, Outcomes, Plan, Status
    from alharness.tracking.plugin import MlflowParams

    from .patience import Pulse

ENDS: dict[Status, str] = {"ok": "FINISHED", "interrupted": "KILLED", "pending": "KILLED", "spared": "KILLED"}
"""MLflow's status for the status of a cell that has ended; any other has failed."""
FAILED, RUNNING = "FAILED", "RUNNING"

AT_ONCE = 1000
"""Metrics, or runs, in one call: MLflow refuses more."""
LONGEST_TAG = 8000

FORMER = "former"
"""Kind of a cell that the spec had once, or that was restarted since: the dashboard leaves it out."""

FILES = "alharness.files"
"""Tag: whether the files of a cell that goes no further are there."""
MISSING, WRITTEN = "missing", "written"


class _Known:
    """What the store holds of a cell.

    Args:
        run: what MLflow says of its run.

    Attributes:
        run_id: MLflow's name of the run.
        tags: its tags.
        params: names of its params.
        metrics: names of its metrics.
        cycles: how many are whole.
        state: MLflow's status.
    """

    def __init__(self, run: Run) -> None:
        self.run_id: str = run.info.run_id
        self.tags, self.params, self.metrics = dict(run.data.tags), set(run.data.params), set(run.data.metrics)
        self.cycles = int(run.data.metrics.get("al/cycle", -1)) + 1
        self.state: str = run.info.status

    @property
    def key(self) -> tuple[str, str]:
        """The cell's, and when it began."""
        return self.tags.get("alharness.cell", ""), self.tags.get("alharness.started", "")

    @property
    def worth(self) -> tuple[int, bool, str]:
        """The same order for every process that compares two runs."""
        return self.cycles, self.state == ENDS["ok"], self.run_id


class Writer:
    """Writes cells of one run to one store, whose content it reads when it is made.

    After an exception it knows less than the store: make another one.

    Args:
        run: what the cells share.
        settings: the store to write to.
        pulse: notes when MLflow answers.
        warn: gets what the user should know.

    Raises:
        TrackingError: the store cannot be opened.
    """

    def __init__(self, run: Plan, settings: MlflowParams, pulse: Pulse, warn: Callable[[str], None]) -> None:
        self._run, self._warn = run, warn
        chosen = settings.experiment
        self.store = Store(
            settings,
            name_experiment(chosen, stand_in=run.stand_in) if chosen else run.name,
            {
                "mlflow.experimentKind": "custom_model_development",
                "alharness.experiment": run.experiment,
                CHANGED: _now(),
            },
            warn=warn,
            pulse=pulse,
        )
        self._client = self.store.client
        self._known = self._search()

    def write(self, records: Mapping[Cell, Outcome | None]) -> None:
        """Bring runs up to their journals, and end those that have a record. One that fails stops no other.

        Raises:
            Exception: what MLflow raised first.
        """
        failure: Exception | None = None
        for cell, record in records.items():
            try:
                self._bring_up(cell, record)
            except Exception as error:  # noqa: BLE001 - raised below
                failure = failure or error
                if not self._answers():
                    break
        if failure:
            raise failure

    def finish(self, record: Outcomes) -> None:
        """Bring every cell up to its journal and its end, and leave the dashboard."""
        self.write({cell.cell: cell for cell in record.cells})
        self._sort_out(self._run.cells)
        self._show(record)

    def _answers(self) -> bool:
        """Whether the store is there, so that a failure is the cell's own."""
        with suppress(Exception):
            self._client.get_experiment(self.store.experiment_id)
            return True
        return False

    def _search(self, condition: str = "") -> dict[tuple[str, str], _Known]:
        """Runs by cell and begin; of two for the same, which two processes made at once, the lesser one goes."""
        text = f"tags.`alharness.experiment` = '{self._run.experiment}'{condition}"
        runs: list[_Known] = []
        token: str | None = ""
        while token is not None:
            page = self._client.search_runs(
                [self.store.experiment_id], text, max_results=AT_ONCE, page_token=token or None
            )
            runs += map(_Known, page)
            token = page.token or None
        found: dict[tuple[str, str], _Known] = {}
        for known in sorted(runs, key=lambda one: one.worth):
            if known.key in found:
                self._client.delete_run(found[known.key].run_id)
            if all(known.key):
                found[known.key] = known
        return found

    def _bring_up(self, cell: Cell, record: Outcome | None) -> None:
        """Write what MLflow lacks of a cell, and its end if it has one.

        Nothing is written without a journal, or with a damaged one. A cell whose queries were measured again
        becomes a new run: MLflow keeps every value of a metric, and would show both.
        """
        try:
            found = journal.read(self._run.folder / "cells" / cell.folder / journal.NAME)
        except RunError:  # its own cell's failure, reported elsewhere
            return
        if found is None:
            return
        started, cycles = found[0].started, found[1]
        key = (cell.key, str(started))
        known = self._known.get(key)
        if known and payload.measured_again(known.tags.get(payload.COSTS, ""), cycles):
            self._client.delete_run(known.run_id)
            del self._known[key]
            known = None
        known = known or self._create(cell, started)
        if not payload.names(cycles[: known.cycles]) <= known.metrics:
            known.cycles = 0  # points that are there already stay as they are
        on_disk = Outcome(cell=cell, status="pending", cycles=tuple(cycles), started=started)
        self._complete(known, on_disk)
        if record:
            self._end(known, on_disk, record)

    def _create(self, cell: Cell, started: int) -> _Known:
        # Another process may have begun to write this run directory since this one looked.
        also = f" and tags.`alharness.cell` = '{cell.key}' and tags.`alharness.started` = '{started}'"
        self._known |= self._search(also)
        key = (cell.key, str(started))
        if key not in self._known:
            tags = {**self._identity(cell, started), "alharness.kind": _kind(cell), FILES: MISSING}
            made = self._client.create_run(
                self.store.experiment_id, start_time=started, tags=tags, run_name=cell.name
            )
            self._known[key] = _Known(made)
        return self._known[key]

    def _identity(self, cell: Cell, started: int) -> dict[str, str]:
        """Tags that every run has from its beginning."""
        run = self._run
        tags = {
            "alharness.experiment": run.experiment,
            "alharness.cell": cell.key,
            "alharness.started": str(started),
            "alharness.plugin": cell.distribution,
            "mlflow.runColor": styles(run.labels).get(cell.label, REFERENCE).color,
            **{f"alharness.env.{name}": str(value) for name, value in run.environment.items()},
        }
        return {**tags, "synthetic": "true"} if run.synthetic else tags

    def _complete(self, known: _Known, on_disk: Outcome) -> None:
        """Add the params and tags that a failed call left out, and the cycles that are new."""
        cell, new = on_disk.cell, on_disk.cycles[known.cycles :]
        # MLflow would refuse to change a param.
        params = [param for param in payload.params(self._run, cell) if param.key not in known.params]
        if params:
            self._client.log_batch(known.run_id, params=params)
            known.params |= {param.key for param in params}
        if new and known.state != RUNNING:
            self._client.update_run(known.run_id, status=RUNNING)
            known.state = RUNNING
        # Tags first: what is written is then always among what the digest is about.
        identity = {**self._identity(cell, on_disk.started), **known.tags}
        self._tag(known, identity | (payload.tags(on_disk) if on_disk.cycles else {}))
        # `al/cycle` is the last metric of each cycle: if a call fails, an incomplete cycle is written again.
        self._log(known, [point for cycle in new for point in payload.metrics(cycle)])
        known.cycles += len(new)

    def _end(self, known: _Known, on_disk: Outcome, record: Outcome) -> None:
        end = ENDS.get(record.status, FAILED)
        tags = {"alharness.status": record.status, "alharness.error": record.error[:LONGEST_TAG]}
        summary = payload.summary(self._run, on_disk) if record.status == "ok" else []
        told = {name: known.tags.get(name, "") for name in tags}
        complete = known.state == end and known.tags.get(FILES) == WRITTEN
        if complete and told == tags and {point.key for point in summary} <= known.metrics:
            return
        self._tag(known, {FILES: MISSING, **{name: text for name, text in tags.items() if text}})
        if not record.error and "alharness.error" in known.tags:
            self._client.delete_tag(known.run_id, "alharness.error")
            del known.tags["alharness.error"]
        self._log(known, summary)
        at = on_disk.cycles[-1].at if on_disk.cycles else None
        self._client.set_terminated(known.run_id, end, end_time=at)
        known.state = end
        with tempfile.TemporaryDirectory() as folder:
            payload.write_artifacts(Path(folder), self._run, on_disk)
            self._client.log_artifacts(known.run_id, folder)
        self._tag(known, {FILES: WRITTEN})

    def _log(self, known: _Known, points: Sequence[Metric]) -> None:
        faults.reach("track")
        for start in range(0, len(points), AT_ONCE):
            self._client.log_batch(known.run_id, metrics=points[start : start + AT_ONCE])
        faults.reach("tracked")
        known.metrics |= {point.key for point in points}

    def _tag(self, known: _Known, tags: Mapping[str, str]) -> None:
        """Set the tags that are other ones in the store."""
        from mlflow.entities import RunTag

        new = {name: value for name, value in tags.items() if known.tags.get(name) != value}
        if new:
            self._client.log_batch(known.run_id, tags=[RunTag(name, value) for name, value in new.items()])
            known.tags |= new

    def _sort_out(self, cells: Iterable[Cell]) -> None:
        """Say of every cell in the store whether the spec has it: a mean over seeds would take any other, too."""
        kinds = {cell.key: _kind(cell) for cell in cells}
        # The last run of a cell comes last, and is the one that counts.
        last = dict(sorted(self._known, key=lambda known: int(known[1])))
        for (key, started), known in self._known.items():
            kind = kinds.get(key, FORMER) if last[key] == started else FORMER
            self._tag(known, {"alharness.kind": kind})

    def _show(self, record: Outcomes) -> None:
        """Leave the dashboard. If that fails, the run continues without it: it is no result."""
        import mlflow

        if not mlflow.__version__.startswith(dashboard.MAJOR):
            return
        store = self.store
        try:
            store.client.set_experiment_tag(store.experiment_id, CHANGED, _now())
            store.client.set_experiment_tag(
                store.experiment_id, dashboard.TAG, dashboard.make_tag(self._run, record)
            )
            store.view = True
        except Exception as error:  # noqa: BLE001 - MLflow raises what it likes
            self._warn(f"{explain(error, store.uri)}. The experiment has no ready dashboard")


def _kind(cell: Cell) -> str:
    return "reference" if cell.reference else "cell"


def _now() -> str:
    return str(time.time_ns() // 1_000_000)
