"""The MLflow store: which one, how it is opened, and what to say if that fails."""

from __future__ import annotations

import logging
import os
import re
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alharness.errors import TrackingError
from alharness.text.redaction import redact
from alharness.text.words import command_line

from . import addresses, sqlite
from .dashboard import place
from .patience import SETTINGS, Pulse, Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlflow import MlflowClient

    from alharness.tracking.plugin import MlflowParams

_NO_CONNECTION = re.compile(r"HTTPS?ConnectionPool.*\[Errno -?\d+\] ([^'\")]+)")
"""What the system said of a server, within three layers of other people's words."""


class Store:
    """An MLflow client and the experiment that a run writes to.

    Args:
        settings: which store.
        experiment: name of the experiment; made if it is missing.
        tags: of the experiment.
        warn: gets what the user should know.
        pulse: notes when MLflow answers.

    Attributes:
        view: whether the experiment has a dashboard by now.

    Raises:
        TrackingError: the store cannot be opened; says which and why, without credentials.
    """

    def __init__(
        self,
        settings: MlflowParams,
        experiment: str,
        tags: Mapping[str, str],
        *,
        warn: Callable[[str], None],
        pulse: Pulse | None = None,
    ) -> None:
        self.uri = resolve(settings.uri)
        self.experiment = experiment
        self.view = False
        pulse = pulse or Pulse()
        pulse.address(self.uri)
        with opened(self.uri, warn) as client:
            self.client = Watched(client, pulse)
            self.experiment_id = self._open(tags)

    @property
    def how_to_open(self) -> str:
        """The command that shows a store that is here; the address of the experiment on a server."""
        if addresses.is_server(self.uri):
            return place(self.uri, self.experiment_id, self.experiment, view=self.view)
        found = self.uri == resolve(None)
        return command_line("ui", *([] if found else ["--store", redact(self.uri)]))

    def _open(self, tags: Mapping[str, str]) -> str:
        found = self.client.get_experiment_by_name(self.experiment)
        if found is None:
            place = addresses.place_of_artifacts(self.uri, self.experiment)
            try:
                return str(self.client.create_experiment(self.experiment, artifact_location=place, tags=tags))
            except Exception:
                found = self.client.get_experiment_by_name(self.experiment)
                if found is None:  # otherwise another process was quicker
                    raise
        if found.lifecycle_stage == "deleted":
            raise TrackingError(
                f"the experiment {self.experiment!r} was deleted, and MLflow does not give its name again: "
                f"restore it (mlflow experiments restore -x {found.experiment_id}) or set tracking.experiment to "
                "another name"
            )
        for key, value in tags.items():
            if found.tags.get(key) != value:
                self.client.set_experiment_tag(found.experiment_id, key, value)
        return str(found.experiment_id)


def resolve(uri: str | None) -> str:
    """This store, or what MLFLOW_TRACKING_URI says, or MLflow's own default. MLflow is imported here."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    import mlflow  # noqa: F401 - reads its settings now

    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    return addresses.normal(uri or addresses.default())


@contextmanager
def opened(uri: str, warn: Callable[[str], None] | None = None) -> Iterator[MlflowClient]:
    """A client of a store.

    Args:
        uri: the store's.
        warn: gets what the user should know. Without it, a store that is not there is not made.

    Raises:
        TrackingError: for whatever goes wrong meanwhile; says what, without credentials.
    """
    import mlflow

    try:
        file, folder = addresses.file_of(uri), addresses.folder_of(uri)
        if file and warn:
            sqlite.make_ready(file, warn)
        elif file:
            # MLflow tries a database that cannot be opened for almost two minutes before it says so.
            sqlite.require_usable(file, sqlite.look(file))
        elif folder and not warn and not folder.exists():
            sqlite.require_usable(folder, sqlite.Found(state="absent"))
        with addresses.without_strays(uri):
            yield mlflow.MlflowClient(uri)
    except TrackingError:
        raise
    except Exception as error:
        raise TrackingError(explain(error, uri)) from error


def explain(error: Exception, uri: str) -> str:
    """One line about what went wrong with this store, and a remedy if one is known."""
    if isinstance(error, TrackingError):
        return str(error)
    whole = redact(str(error).strip())
    first = (whole.splitlines() or [type(error).__name__])[0]
    if reason := _NO_CONNECTION.search(first):
        first = f"cannot be reached ({reason[1]})"
    text = f"MLflow at {redact(uri)}: {first[:500]}"
    if "database is locked" in whole:
        text += "; another program holds it: end that program, or wait for it"
    if "out-of-date database schema" in whole:
        text += (
            "; another version of MLflow made it: back it up, then run "
            f"{shlex.join(['mlflow', 'db', 'upgrade', redact(uri)])}"
        )
    return text
