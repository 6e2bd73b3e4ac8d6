"""What a run would refuse or do without on this machine, found without loading data or a model."""

from __future__ import annotations

import errno
import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from alharness.errors import SpecError
from alharness.text.redaction import redact
from alharness.tracking.addresses import VARIABLE, scheme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from alharness.spec.settings import TrackingSettings, TrainingSettings

SERVERS = ("http", "https")
STORES = ("sqlite", "postgresql", "mysql", "mssql", *SERVERS, "databricks", "databricks-uc", "uc")
FILES = ("", "file")


def require_device(training: TrainingSettings) -> None:
    """Raise DataError if the spec names a device that is not here.

    Only for a device that is named: `auto` takes what there is, and torch takes seconds to ask.
    """
    if training.device not in ("auto", "cpu"):
        from alharness.engine.training import choose_device

        choose_device(training.device)


def require_writable(path: Path) -> None:
    """Raise SpecError if this folder, which need not be there, could not be made or written to."""
    nearest = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    if not nearest.is_dir():
        reason = errno.ENOTDIR
    elif not os.access(nearest, os.W_OK | os.X_OK):
        reason = errno.EACCES
    else:
        return
    raise SpecError(f"{path}: cannot be written to ({os.strerror(reason)}); choose another --workdir")


def tracking_warnings(tracking: TrackingSettings) -> Iterator[str]:
    """What would leave the run without MLflow, as far as the address of its store tells."""
    uri = tracking.uri or os.environ.get(VARIABLE, "")
    where = "tracking.uri" if tracking.uri else VARIABLE
    shown = f"{where}: {redact(uri)}"
    kind = uri if uri in STORES else scheme(uri)  # a client may know an address without a colon
    if not uri:
        return
    if kind in FILES:
        if os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() != "true":
            yield f"{shown}: is a folder, which MLflow no longer writes to; name a database: sqlite:///mlflow.db"
    elif kind not in (*STORES, *(point.name for point in entry_points(group="mlflow.tracking_store"))):
        yield f"{shown}: MLflow knows no stores of the kind {kind!r}; it knows {', '.join(STORES)}"
    elif kind in SERVERS and not _has_host(uri):
        yield f"{shown}: names no host; write it as {kind}://HOST:PORT"


def _has_host(uri: str) -> bool:
    try:
        return bool(urlsplit(uri).hostname)
    except ValueError:
        return False
