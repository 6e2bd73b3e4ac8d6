"""Addresses of MLflow stores, read by the parsers of those that use them, never cut as text."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "MLFLOW_TRACKING_URI"
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
LINKS = ("http", "https")
"""Servers that a browser can open."""
HOSTED = ("databricks", "databricks-uc", "uc")
"""The address of a workspace is in a file of its client, so there is no link."""
STORES = (*DATABASES, *LINKS, *HOSTED)
"""What MLflow itself can write to."""
FOLDERS = ("", "file")

PREFIX = "sqlite:///"
LONGEST_FOLDER = 60
"""Characters of a folder's name: file systems take 255 bytes, and a character may take four."""


def default() -> str:
    """The address that MLFLOW_TRACKING_URI names, or MLflow's own default."""
    import mlflow

    found = str(mlflow.get_tracking_uri())
    if os.environ.get(VARIABLE) or scheme(found) != "sqlite":
        return found
    # MLflow quotes its own default, and then makes a folder of the quoted name.
    return sqlite(Path(unquote(found.removeprefix(PREFIX))))


def scheme(uri: str) -> str:
    """What is before the colon, without the driver of a database; empty for a path."""
    found = re.match(r"([A-Za-z][A-Za-z0-9.-]*)(\+[\w.+-]+)?:", uri)
    if found:
        return found[1].lower()
    return uri if uri in HOSTED else ""  # its client knows it without a colon


def is_server(uri: str) -> bool:
    """Whether it is the address of a server, rather than of a database or a folder."""
    return scheme(uri) not in (*DATABASES, *FOLDERS)


def is_link(uri: str) -> bool:
    """Whether it is the address of a server that a browser can open."""
    return scheme(uri) in LINKS


def file_of(uri: str) -> Path | None:
    """The file of a SQLite store; None for any other, and for one in memory."""
    if scheme(uri) != "sqlite":
        return None
    from sqlalchemy import make_url

    name = make_url(uri).database
    return None if not name or name == ":memory:" or name.startswith("file:") else Path(name)


def folder_of(uri: str) -> Path | None:
    """The folder of a store of plain files; None for any other."""
    if scheme(uri) not in FOLDERS:
        return None
    return Path(unquote(urlsplit(uri).path)) if uri.startswith("file:") else Path(uri)


def sqlite(path: Path) -> str:
    """The address of a SQLite store in this file."""
    plain = f"{PREFIX}{path.absolute()}"
    # Quoted only if it must be: MLflow makes the folders of an address without unquoting it.
    return plain if file_of(plain) == path.absolute() else f"{PREFIX}{quote(str(path.absolute()))}"


def normal(uri: str) -> str:
    """The same store with its whole path, and as little quoted as possible."""
    if scheme(uri) != "sqlite" or "?" in uri or (path := file_of(uri)) is None:
        return uri
    return sqlite(path)


def place_of_artifacts(uri: str, experiment: str) -> str | None:
    """Address for the files of an experiment; None if the store knows a place itself.

    MLflow would take the current folder of whichever process came first.
    """
    if scheme(uri) not in DATABASES:
        return None
    file = file_of(uri)
    folder = file.absolute().parent if file else Path.cwd()
    return (folder / "mlruns" / safe_name(experiment)).as_uri()


def safe_name(name: str) -> str:
    """A name for a folder: letters, digits, `.`, `_` and `-` of the name, whatever it begins with."""
    return re.sub(r"[^\w.-]+", "-", name).strip(".-")[:LONGEST_FOLDER] or "experiment"


@contextmanager
def without_strays(uri: str) -> Iterator[None]:
    """Remove the empty folders that MLflow makes for the parent of a quoted path, taken as it is written."""
    if scheme(uri) != "sqlite" or "%" not in uri:
        yield
        return
    parent = Path(uri.removeprefix(PREFIX)).parent
    strays = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    try:
        yield
    finally:
        with suppress(OSError):
            for folder in strays:
                folder.rmdir()
