"""The MLflow store: which one, how it is opened, and that nothing goes wrong when it is down."""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from alharness.errors import TrackingError
from alharness.program import command_line
from alharness.redaction import redact

from .dashboard import deep_link

if TYPE_CHECKING:
    from collections.abc import Iterator

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

    Attributes:
        view: whether the experiment has a dashboard by now.

    Raises:
        TrackingError: the store cannot be opened; says which and why, without credentials.
    """

    def __init__(self, settings: TrackingSettings, experiment: str, tags: dict[str, str]) -> None:
        self.uri = resolve(settings.uri)
        self.view = False
        with opened(self.uri) as self.client:
            self.experiment_id = self._open(experiment, tags)

    @property
    def how_to_open(self) -> str:
        """The command that shows a store that is here; the address of the experiment on a server."""
        if not self.local:
            return deep_link(self.uri, self.experiment_id, view=self.view)
        default = f"sqlite:///{Path('mlflow.db').absolute()}"
        found = self.uri == default == os.environ.get("MLFLOW_TRACKING_URI", default)
        return command_line("ui", *([] if found else ["--store", redact(self.uri)]))

    @property
    def local(self) -> bool:
        """Whether the store is a file or a database, rather than a server."""
        return not is_server(self.uri)

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


def is_server(uri: str) -> bool:
    """Whether it is the address of an MLflow server."""
    return uri.startswith(("http:", "https:"))


def resolve(uri: str | None) -> str:
    """This store, or what MLFLOW_TRACKING_URI says, or MLflow's own default. MLflow is imported here."""
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)  # MLflow reads its settings from there; the user's own win
    import mlflow

    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    return uri or str(mlflow.get_tracking_uri())


@contextmanager
def opened(uri: str) -> Iterator[MlflowClient]:
    """A client of a store, while no other process of ours opens it for the first time.

    Raises:
        TrackingError: for whatever goes wrong meanwhile; says what, without credentials.
    """
    import mlflow

    try:
        _require_readable(uri)
        with _first_use(uri):
            yield mlflow.MlflowClient(uri)
    except Exception as error:
        raise TrackingError(explain(error, uri)) from error


def explain(error: Exception, uri: str) -> str:
    """One line about what went wrong with this store, and a remedy where one is known."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    text = f"MLflow at {redact(uri)}: {redact(first)[:500]}"
    if "out-of-date database schema" in str(error):
        text += f"; another version of MLflow made it: back it up, then run `mlflow db upgrade {redact(uri)}`"
    return text


def file_of(uri: str) -> Path | None:
    """The file of a SQLite store; None for any other."""
    return Path(uri.partition(":///")[2]) if uri.startswith("sqlite:") else None


def _require_readable(uri: str) -> None:
    # MLflow tries a database that cannot be opened for almost two minutes before it says so.
    path = file_of(uri)
    if path and path.exists():
        with closing(sqlite3.connect(path)) as database:
            database.execute("pragma schema_version")


def _folder(uri: str) -> Path:
    path = uri.partition(":///")[2]
    return Path(path).absolute().parent if path else Path.cwd()


def _first_use(uri: str) -> filelock.BaseFileLock:
    # Two processes that create the same SQLite database at once can break it for good.
    name = hashlib.sha256(str(_folder(uri) / uri).encode()).hexdigest()[:16]
    return filelock.FileLock(Path(tempfile.gettempdir(), f"alharness-{os.getuid()}-{name}.lock"), timeout=120)
