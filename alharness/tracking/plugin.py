"""The trackers that alharness brings, and the parameters of MLflow's. No heavy imports."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

from alharness.api.hooks import hookimpl
from alharness.api.params import Params
from alharness.api.tracker import Tracker, TrackerPlugin
from alharness.errors import SpecError
from alharness.text.redaction import redact
from alharness.text.words import SUFFIX

from .mlflow.addresses import FOLDERS, LINKS, STORES, VARIABLE, scheme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alharness.api.dataset import DatasetFacts
    from alharness.api.tracker import TrackerContext


def _refuse_address(name: str) -> str:
    if "://" in name:
        raise ValueError("this is an address, which belongs to `uri`, and not the name of an experiment")
    return name


ExperimentName = Annotated[
    str,
    StringConstraints(max_length=400, pattern=r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"),
    AfterValidator(_refuse_address),
]
"""Text in any script, without control characters, and without spaces around it; MLflow takes 500 characters."""


class MlflowParams(Params):
    """The store and the experiment that MLflow writes to."""

    uri: str | None = None
    """Tracking URI; null takes MLFLOW_TRACKING_URI, and without it MLflow's own default, sqlite:///mlflow.db."""
    experiment: ExperimentName | None = None
    """Name of the MLflow experiment, such as `/Users/me@x/bench` for Databricks; null takes the spec's name."""


def make(params: MlflowParams, context: TrackerContext) -> Tracker:
    """A tracker that writes to MLflow."""
    from .mlflow.tracker import MlflowTracker

    return MlflowTracker(params, context.warn, required=context.required)


def review(params: MlflowParams, facts: DatasetFacts) -> Iterator[str]:
    """What would leave the run without MLflow, as far as the address of its store shows.

    Raises:
        SpecError: results on real data would get a name that is kept for synthetic data.
    """
    name = params.experiment or ""
    if name.endswith(SUFFIX) and not facts.synthetic:
        raise SpecError(
            f"{name!r} ends in {SUFFIX!r}, as experiments on synthetic data do, but the data are real; choose "
            "another name",
            key="experiment",
        )
    uri = params.uri or os.environ.get(VARIABLE, "")
    if not uri:
        return
    shown = f"{'uri' if params.uri else VARIABLE}: {redact(uri)}"
    kind = scheme(uri)
    if kind in FOLDERS:
        if os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() != "true":
            yield f"{shown}: is a folder, which MLflow no longer writes to; name a database: sqlite:///mlflow.db"
    elif kind not in (*STORES, *(point.name for point in entry_points(group="mlflow.tracking_store"))):
        yield f"{shown}: MLflow knows no stores of the kind {kind!r}; it knows {', '.join(STORES)}"
    elif kind in LINKS and not _has_host(uri):
        yield f"{shown}: names no host; write it as {kind}://HOST:PORT"


def _has_host(uri: str) -> bool:
    try:
        return bool(urlsplit(uri).hostname)
    except ValueError:
        return False


class NoTracker(Tracker):
    """Keeps nothing: the journals in the run directory are all that a run leaves."""

    @hookimpl
    def alharness_run_started(self) -> None:
        """Do nothing."""


@hookimpl
def alharness_trackers() -> list[TrackerPlugin]:
    """MLflow, on by default, and `none`."""
    return [
        TrackerPlugin(
            name="mlflow",
            params=MlflowParams,
            make=make,
            review=review,
            summary="MLflow: a server, or a database such as the file mlflow.db in the current folder",
            title="MLflow",
        ),
        TrackerPlugin(
            name="none", params=Params, make=lambda _, __: NoTracker(), summary="nothing outside the run directory"
        ),
    ]
