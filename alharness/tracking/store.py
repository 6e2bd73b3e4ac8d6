"""The MLflow store: which one, how it is opened, and that nothing goes wrong when it is down."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from alharness.errors import TrackingError
from alharness.redaction import redact

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from alharness.settings import TrackingSettings

PATIENCE = {
    # A server that is down must not hold up a run: MLflow's own defaults wait four minutes per call.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


class Store:
    """An MLflow client and the experiment that a run writes to.

    Raises:
        TrackingError: the store cannot be opened; says which and why, without credentials.
    """

    def __init__(self, settings: TrackingSettings, experiment: str, tags: dict[str, str]) -> None:
        for name, value in PATIENCE.items():
            os.environ.setdefault(name, value)  # MLflow reads its settings from there; the user's own win
        import mlflow

        for noisy in ("mlflow", "alembic"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        self.uri = settings.uri or mlflow.get_tracking_uri()
        try:
            _require_readable(self.uri)
            with _first_use(self.uri):
                self.client: MlflowClient = mlflow.MlflowClient(self.uri)
                self.experiment_id = self._open(experiment, tags)
        except Exception as error:
            raise TrackingError(explain(error, self.uri)) from error

    @property
    def how_to_open(self) -> str:
        """The line that opens this store in MLflow's user interface."""
        page = f"#/experiments/{self.experiment_id}/runs?workflowType=machine_learning&compareRunsMode=CHART"
        if not self.local:
            return f"{redact(self.uri)}/{page}"
        program = "mlflow" if shutil.which("mlflow") else os.path.relpath(Path(sys.executable).with_name("mlflow"))
        default = Path("mlflow.db").absolute()
        store = "" if self.uri == f"sqlite:///{default}" else f" --backend-store-uri {redact(self.uri)}"
        return f"{program} ui{store}, then http://127.0.0.1:5000/{page}"

    @property
    def local(self) -> bool:
        """Whether the store is a file here, rather than a server."""
        return not self.uri.startswith(("http:", "https:"))

    def _open(self, name: str, tags: dict[str, str]) -> str:
        found = self.client.get_experiment_by_name(name)
        if found is None:
            # MLflow would bake the folder of whichever process came first into the experiment.
            place = (_folder(self.uri) / "mlruns" / name).as_uri() if self.local else None
            return str(self.client.create_experiment(name, artifact_location=place, tags=tags))
        if found.lifecycle_stage == "deleted":
            raise TrackingError(
                f"the experiment {name!r} was deleted, and MLflow does not give its name again: restore it "
                f"(mlflow experiments restore -x {found.experiment_id}) or set tracking.experiment to another name"
            )
        for key, value in tags.items():
            self.client.set_experiment_tag(found.experiment_id, key, value)
        return str(found.experiment_id)


def explain(error: Exception, uri: str) -> str:
    """One line about what went wrong with this store, and a remedy where one is known."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    text = f"MLflow at {redact(uri)}: {redact(first)[:500]}"
    if "out-of-date database schema" in str(error):
        text += f"; another version of MLflow made it: back it up, then run `mlflow db upgrade {redact(uri)}`"
    return text


def _require_readable(uri: str) -> None:
    # MLflow tries a database that cannot be opened for almost two minutes before it says so.
    path = Path(uri.partition(":///")[2])
    if uri.startswith("sqlite:") and path.exists():
        with closing(sqlite3.connect(path)) as database:
            database.execute("pragma schema_version")


def _folder(uri: str) -> Path:
    path = uri.partition(":///")[2]
    return Path(path).absolute().parent if path else Path.cwd()


def _first_use(uri: str) -> filelock.BaseFileLock:
    # Two processes that create the same SQLite database at once can break it for good.
    name = hashlib.sha256(str(_folder(uri) / uri).encode()).hexdigest()[:16]
    return filelock.FileLock(Path(tempfile.gettempdir(), f"alharness-{os.getuid()}-{name}.lock"), timeout=120)
