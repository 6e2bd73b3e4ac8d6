"""`alharness sync`: write the results of run directories to MLflow, from their journals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from pydantic import ValidationError

from alharness.errors import HarnessError, SpecError, TrackingError
from alharness.runs import saved
from alharness.spec import yamlfile
from alharness.spec.document import DEFAULT_TRACKER, trackers
from alharness.text.redaction import HIDDEN

from . import show_error
from .options import FOLDER, warn
from .page import make_console

if TYPE_CHECKING:
    from pathlib import Path

    from alharness.api.records import Plan
    from alharness.tracking.plugin import MlflowParams


@click.command
@click.argument("directories", metavar="RUN...", nargs=-1, required=True, type=FOLDER)
@click.option(
    "--tracking-uri",
    metavar="URI",
    help="The MLflow store. [default: that of the spec, MLFLOW_TRACKING_URI, or sqlite:///mlflow.db here]",
)
@click.option("--experiment", metavar="NAME", help="The MLflow experiment. [default: that of the spec]")
def sync(directories: tuple[Path, ...], tracking_uri: str | None, experiment: str | None) -> int:
    """Write the results of run directories to MLflow, from their journals.

    For runs that MLflow missed, in part or as a whole: it was down, it was left out with --no-tracking, or it is
    another one. It needs only the run directories: no spec, no data and no plugins. It adds what MLflow lacks and
    changes nothing else, so the command can be repeated. For example:

    \b
        alharness sync runs/openclipart-1a2b3c4d
        alharness sync runs/* --tracking-uri http://tracking:5000
        alharness sync runs/openclipart-1a2b3c4d --experiment "/Users/me@example.org/digits"

    Exit codes: 0 everything is in MLflow, 1 a directory cannot be read, 2 usage, 6 MLflow cannot be reached, or
    refused something.
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    page = make_console()
    worst = 0
    for directory in directories:
        try:
            where = _write(directory, tracking_uri, experiment)
        except HarnessError as error:
            show_error(str(error))
            worst = max(worst, error.exit_code)
            if isinstance(error, TrackingError):
                break  # the others would wait for the same store
            continue
        page.say(f"{directory}: {where}")
    return worst


def _write(directory: Path, uri: str | None, experiment: str | None) -> str:
    """Write one run; returns what was written, and how to see it."""
    from alharness.api.records import Outcomes
    from alharness.results.run import RunResults
    from alharness.tracking.mlflow.tracker import MlflowTracker

    found = RunResults.read(directory, with_pool=False)
    tracker = MlflowTracker(_params(found.run, uri, experiment), warn, required=True)
    tracker.alharness_run_started(found.run)
    tracker.alharness_run_finished(found.run, Outcomes(cells=found.records))
    begun = sum(bool(record.cycles) for record in found.records)
    return f"{begun} of {len(found.run.cells)} cells are in MLflow: {tracker.where()}"


def _params(run: Plan, uri: str | None, experiment: str | None) -> MlflowParams:
    """What the options say, or the first MLflow tracker of the run's spec. A hidden password leaves no address."""
    from alharness.tracking.plugin import MlflowParams

    spec = yamlfile.parse(run.spec_text, str(run.folder / saved.NAME)).data
    tracking = spec.get("tracking") if isinstance(spec, dict) else None
    asked = [tracker for tracker in trackers(tracking or {}).values() if isinstance(tracker, dict)]
    mlflow = next((tracker for tracker in asked if tracker.get("name") == DEFAULT_TRACKER), {})
    said = mlflow.get("params") or {}
    address = said.get("uri") or ""
    try:
        return MlflowParams(
            uri=uri or (None if HIDDEN in address else address), experiment=experiment or said.get("experiment")
        )
    except ValidationError as error:
        raise SpecError(f"--experiment: {error.errors()[0]['msg']}") from error
