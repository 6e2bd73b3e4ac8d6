"""One flat MLflow run per cell, written from the cell's journal: nothing stands here that the journal lacks.

Writing is idempotent: metrics carry the journal's timestamps, and a run is found again by its cell. So a run
that was tracked in part, or not at all, is completed whenever the spec runs again.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alharness.errors import TrackingError
from alharness.hookspecs import hookimpl
from alharness.records import CellRecord
from alharness.report.palette import REFERENCE, styles
from alharness.runs import journal
from alharness.synthetic import name_experiment

from . import dashboard, payload
from .experiments import CHANGED
from .store import Store, explain

if TYPE_CHECKING:
    from collections.abc import Callable

    from alharness.cells import Cell
    from alharness.records import CycleRecord, Run, RunRecord, Status
    from alharness.settings import TrackingSettings

ENDS: dict[Status, str] = {
    "ok": "FINISHED",
    "failed": "FAILED",
    "diverged": "FAILED",
    "timeout": "FAILED",
    "oom": "FAILED",
    "interrupted": "KILLED",
    "pending": "KILLED",
}
"""How a cell that goes no further stands in MLflow."""

WRITE_EVERY = 30.0
"""Seconds between two writes while a cell is at work: the first takes seconds, others tens of milliseconds."""

METRICS_AT_ONCE = 1000
"""MLflow refuses more in one call."""

FORMER = "former"
"""Kind of a cell that the spec had once, or that was begun anew since: the dashboard leaves it out."""


@dataclass
class _Known:
    """What the store holds of a cell."""

    run_id: str
    kind: str
    cycles: int = 0
    state: str = "RUNNING"
    costs: str = ""


class MlflowTracker:
    """Writes cells to MLflow. A store that is down costs a warning, never the run.

    Args:
        settings: where to write.
        warn: told that tracking is offline, and why.
        required: raise TrackingError instead, and before the first cell.
    """

    def __init__(self, settings: TrackingSettings, warn: Callable[[str], None], *, required: bool) -> None:
        self._settings = settings
        self._warn = warn
        self._required = required
        self._store: Store | None = None
        self._offline = False
        self._known: dict[tuple[str, str], _Known] = {}
        self._behind: dict[Cell, None] = {}
        self._written = 0.0

    @property
    def store(self) -> Store | None:
        """The store in use; None while offline."""
        return self._store

    @hookimpl
    def alharness_run_started(self, run: Run) -> None:
        """Open the store if it is required; otherwise the first cell need not wait for MLflow's import."""
        self._written = time.monotonic()
        if self._required:
            self._attempt(lambda: self._connect(run))

    @hookimpl
    def alharness_cycle_finished(self, run: Run, cell: Cell, cycle: CycleRecord) -> None:
        """Bring MLflow up to the journals where the last write is a while ago, or the cell is complete."""
        self._behind[cell] = None
        complete = cycle.cycle + 1 == len(run.labeled(cell))
        if not self._offline and (complete or time.monotonic() - self._written >= WRITE_EVERY):
            self._attempt(lambda: self._catch_up(run, cell if complete else None))

    @hookimpl
    def alharness_run_finished(self, run: Run, record: RunRecord) -> None:
        """Bring every cell up to its journal, also what the store missed, and close it."""

        def finish() -> None:
            if self._store is None:
                self._connect(run)
            for cell in record.cells:
                self._close(run, cell)
            self._sort_out(run)

        self._attempt(finish)
        if self._store is not None:
            self._show(run, record, self._store)

    def _attempt(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:
            reason = explain(error, self._store.uri) if self._store else str(error)
            if self._required:
                raise TrackingError(reason) from error
            self._store = None
            self._offline = True
            self._warn(
                f"{reason}. Tracking is offline; results are safe in the journals, and the same command "
                "run again brings MLflow up to date"
            )

    def _connect(self, run: Run) -> None:
        chosen = self._settings.experiment
        store = Store(
            self._settings,
            name_experiment(chosen, synthetic=run.synthetic) if chosen else run.name,
            {
                "mlflow.experimentKind": "custom_model_development",
                "alharness.experiment": run.experiment,
                CHANGED: _now(),
            },
        )
        known = store.client.search_runs(
            [store.experiment_id], f"tags.`alharness.experiment` = '{run.experiment}'", max_results=50_000
        )
        self._known = {
            (found.data.tags["alharness.cell"], found.data.tags["alharness.started"]): _Known(
                found.info.run_id,
                found.data.tags.get("alharness.kind", ""),
                int(found.data.metrics.get("al/cycle", -1)) + 1,
                found.info.status,
                found.data.tags.get("alharness.costs", ""),
            )
            for found in known
        }
        self._store = store

    def _catch_up(self, run: Run, complete: Cell | None) -> None:
        if self._store is None:
            self._connect(run)
        for cell in self._behind:
            if cell == complete:
                self._close(run, CellRecord(cell=cell, status="ok"))
            else:
                self._follow(run, cell)
        self._behind.clear()
        self._written = time.monotonic()

    def _follow(self, run: Run, cell: Cell) -> tuple[_Known, CellRecord] | None:
        """Log the cycles that MLflow lacks; None where the cell has no journal yet.

        A cell whose queries were measured again becomes a new run: MLflow keeps every value of a metric, and would
        show both.
        """
        assert self._store is not None
        found = journal.read(run.folder / "cells" / cell.folder / journal.NAME)
        if found is None:
            return None
        header, cycles = found
        on_disk = CellRecord(cell=cell, status="pending", cycles=tuple(cycles), started=header.started)
        key = (cell.key, str(header.started))
        known = self._known.get(key)
        if known and known.costs not in ("", payload.digest_of_costs(cycles[: known.cycles])):
            self._store.client.delete_run(known.run_id)
            known = None
        if known is None:
            known = self._known[key] = _Known(self._create(run, cell, header.started), _kind(cell))
        new = cycles[known.cycles :]
        if new and known.state != "RUNNING":
            self._store.client.update_run(known.run_id, status="RUNNING")
            known.state = "RUNNING"
        # `al/cycle` is the last of each cycle's: where a call fails, a cycle that is not whole is written again.
        points = [point for cycle in new for point in payload.metrics(cycle)]
        for start in range(0, len(points), METRICS_AT_ONCE):
            self._store.client.log_batch(known.run_id, metrics=points[start : start + METRICS_AT_ONCE])
        known.cycles += len(new)
        if new:
            tags = payload.tags(on_disk)
            self._store.client.log_batch(known.run_id, tags=tags)
            known.costs = payload.digest_of_costs(cycles)
        return known, on_disk

    def _create(self, run: Run, cell: Cell, started: int) -> str:
        assert self._store is not None
        client = self._store.client
        tags = {
            "alharness.kind": _kind(cell),
            "alharness.experiment": run.experiment,
            "alharness.cell": cell.key,
            "alharness.started": str(started),
            "alharness.plugin": cell.distribution,
            "mlflow.runColor": styles(run.labels).get(cell.label, REFERENCE).color,
            **{f"alharness.env.{name}": str(value) for name, value in run.environment.items()},
        }
        if run.synthetic:
            tags["synthetic"] = "true"
        made = client.create_run(self._store.experiment_id, start_time=started, tags=tags, run_name=cell.name)
        client.log_batch(made.info.run_id, params=payload.params(run, cell))
        return str(made.info.run_id)

    def _close(self, run: Run, record: CellRecord) -> None:
        assert self._store is not None
        client = self._store.client
        followed = self._follow(run, record.cell)
        if followed is None or followed[0].state == ENDS[record.status]:
            return
        known, on_disk = followed
        client.set_tag(known.run_id, "alharness.status", record.status)
        if record.error:
            client.set_tag(known.run_id, "alharness.error", record.error[:8000])
        if record.status == "ok":
            client.log_batch(known.run_id, metrics=payload.summary(run, on_disk))
        with tempfile.TemporaryDirectory() as folder:
            payload.write_artifacts(Path(folder), run, on_disk)
            client.log_artifacts(known.run_id, folder)
        end = on_disk.cycles[-1].at if on_disk.cycles else None
        client.set_terminated(known.run_id, ENDS[record.status], end_time=end)
        known.state = ENDS[record.status]

    def _sort_out(self, run: Run) -> None:
        """Say of every cell in the store whether the spec has it: a mean over seeds would take any other, too."""
        assert self._store is not None
        kinds = {cell.key: _kind(cell) for cell in run.cells}
        # The last run of a cell comes last, and is the one that counts.
        last = dict(sorted(self._known, key=lambda known: int(known[1])))
        for (key, started), known in self._known.items():
            kind = kinds.get(key, FORMER) if last[key] == started else FORMER
            if known.kind != kind:
                self._store.client.set_tag(known.run_id, "alharness.kind", kind)
                known.kind = kind

    def _show(self, run: Run, record: RunRecord, store: Store) -> None:
        """Leave the dashboard. A run does without, where that fails: it is no result."""
        import mlflow

        if not mlflow.__version__.startswith(dashboard.MAJOR):
            return
        try:
            store.client.set_experiment_tag(store.experiment_id, CHANGED, _now())
            store.client.set_experiment_tag(store.experiment_id, dashboard.TAG, dashboard.make_tag(run, record))
            store.view = True
        except Exception as error:  # noqa: BLE001 - MLflow raises what it likes
            self._warn(f"{explain(error, store.uri)}. The experiment has no ready dashboard")


def _kind(cell: Cell) -> str:
    return "reference" if cell.reference else "cell"


def _now() -> str:
    return str(time.time_ns() // 1_000_000)
