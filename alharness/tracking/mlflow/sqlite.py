"""MLflow's SQLite store: made whole or not at all, and made again if another program left half of one.

MLflow makes its tables one by one in the file itself, for seconds. A process that is killed meanwhile, a full
disk or two processes at once leave a file that MLflow can neither use nor repair.
"""

from __future__ import annotations

import glob
import os
import secrets
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from alharness.errors import TrackingError
from alharness.runs.locks import Locks

from . import addresses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATIENCE = 120.0
"""Seconds for another process to make the store; it takes ten on a busy machine."""
QUIET = 5.0
"""Seconds without a change after which half a store counts as abandoned."""
BUSY = 20.0
"""Seconds for another process to let go of the file."""

SIDES = ("-journal", "-wal", "-shm")
"""Files next to a database. One that is left over would be played into a new database of the same name."""

VERSIONS = "alembic_version"
CONTENT = ("runs", "registered_models", "trace_info")

State = Literal["absent", "whole", "half", "older", "newer", "damaged", "foreign"]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is at the address of a store.

    Attributes:
        state: `half` holds nothing of a user's; `damaged` does.
        runs: how many runs it holds.
    """

    state: State
    runs: int = 0


def make_ready(path: Path, warn: Callable[[str], None]) -> None:
    """Return when a whole store is there: make one, or make it again and keep what was there under another name.

    Args:
        path: the database.
        warn: gets a sentence on what was moved, and to which place.

    Raises:
        TrackingError: it is not usable and holds results; says what to do.
        OSError: it cannot be made there.
        sqlite3.Error: it is no database, or cannot be read.
        filelock.Timeout: another process has been making it for two minutes.
    """
    if look(path).state == "whole" and not _leftovers(path):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder: a process that sees the store sees the lock, also with another TMPDIR or machine.
    lock = Locks(path.parent).make(path.with_name(f".{path.name}.lock"))
    with lock.acquire(timeout=PATIENCE):
        for leftover in _leftovers(path):
            leftover.unlink(missing_ok=True)
        found = look(path)
        if found.state == "half":
            found = _wait_until_quiet(path)
        if found.state == "half":
            if path.stat().st_size:
                aside = _move_aside(path)
                warn(
                    f"{path}: MLflow's store was only half made, by a process that was stopped or by another "
                    f"version. It holds no runs; it is kept as {aside.name}, and a new one is made"
                )
            else:
                path.unlink()
        if found.state in ("absent", "half"):
            _make(path)
        else:
            require_usable(path, found)


def look(path: Path) -> Found:
    """What is there. Raises sqlite3.Error if it is no database, or cannot be read."""
    if not path.exists():
        return Found(state="absent")
    if path.is_file() and path.stat().st_size == 0:
        return Found(state="half")
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY)) as database:
        tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
        rows = database.execute("select version_num from alembic_version") if VERSIONS in tables else ()
        version = next((str(version) for (version,) in rows), None)
        counts = {
            name: int(database.execute(f"select count(*) from {name}").fetchone()[0])  # noqa: S608 - a name of ours
            for name in (*CONTENT, "experiments")
            if name in tables
        }
    return Found(state=_judge(tables, version, counts), runs=counts.get("runs", 0))


def _judge(tables: set[str], version: str | None, counts: Mapping[str, int]) -> State:
    """What a database is, by its tables, the version of its schema, and rows of tables."""
    revisions, expected = _schema()
    if version == revisions[0] and expected <= tables:
        return "whole"
    if version is not None and version not in revisions:
        return "newer"
    if tables and tables.isdisjoint({*expected, VERSIONS}):
        return "foreign"
    if not any(counts.get(name) for name in CONTENT) and counts.get("experiments", 0) <= 1:
        return "half"
    halfway = any(name.startswith("_alembic_tmp_") for name in tables)
    return "damaged" if halfway or version in (None, revisions[0]) else "older"


def require_usable(path: Path, found: Found) -> None:
    """Raise TrackingError, with what to do, unless a store is whole."""
    if found.state == "whole":
        return
    reasons = {
        "absent": (
            f"there is no MLflow store {path}: `alharness run SPEC` makes one in the current folder; --store or "
            "MLFLOW_TRACKING_URI name another one"
        ),
        "half": f"{path}: MLflow's store is only half made and holds no runs: `alharness run SPEC` makes it again",
        "older": (
            f"{path}: an older version of MLflow made this store: back it up, then run "
            f"`mlflow db upgrade '{addresses.sqlite(path)}'`"
        ),
        "newer": f"{path}: a newer version of MLflow made this store: install that version, or name another store",
        "foreign": f"{path}: is a database of another program: name another store",
        "damaged": (
            f"{path}: MLflow's store is incomplete (a change of its tables was interrupted). It holds "
            f"{found.runs} runs, so it is left as it is. Put a backup in its place, or move it away: a new one is "
            "made, and `alharness sync RUN_DIRECTORY` writes runs of alharness to it from their journals"
        ),
    }
    raise TrackingError(reasons[found.state])


def _make(path: Path) -> None:
    # Another name each time: MLflow keeps what it opened, and would keep using a file that is gone.
    new = path.with_name(f".{path.name}.new-{secrets.token_hex(4)}")
    try:
        new.touch(exist_ok=False)  # MLflow would try for two minutes; this fails at once
        uri = addresses.sqlite(new)
        with addresses.without_strays(uri):
            _make_tables(uri, (path.absolute().parent / "mlruns").as_uri())
        for side in _sides(path):
            _move_aside(side)
        try:
            os.link(new, path)  # never over a file that another program has made meanwhile
        except FileExistsError:
            require_usable(path, look(path))
        except OSError:  # a file system without links
            new.rename(path)
    finally:
        for file in (*_sides(new), new):
            file.unlink(missing_ok=True)


def _make_tables(uri: str, place_of_files: str) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(uri, place_of_files).engine.dispose()


def _wait_until_quiet(path: Path) -> Found:
    """Another program may be making the store right now, in place."""
    deadline = time.monotonic() + PATIENCE
    last, since = _stamp(path), time.monotonic()
    while (found := look(path)).state == "half" and time.monotonic() < deadline:
        if (stamp := _stamp(path)) != last:
            last, since = stamp, time.monotonic()
        if time.monotonic() - since >= QUIET:
            break
        time.sleep(min(QUIET, 0.2))
    return found


def _stamp(path: Path) -> list[tuple[str, int, int]]:
    found = []
    for file in (path, *_sides(path)):
        with suppress(FileNotFoundError):
            status = file.stat()
            found.append((file.name, status.st_mtime_ns, status.st_size))
    return found


def _move_aside(path: Path) -> Path:
    """Rename a file, with those next to it, to a name that is free."""
    number = 1
    while (aside := path.with_name(f"{path.name}.old-{number}")).exists():
        number += 1
    for side in _sides(path):
        side.rename(aside.with_name(f"{aside.name}{side.name.removeprefix(path.name)}"))
    path.rename(aside)
    return aside


def _sides(path: Path) -> list[Path]:
    named = [path.with_name(f"{path.name}{side}") for side in SIDES]
    return [side for side in named if side.exists()]


def _leftovers(path: Path) -> list[Path]:
    """What a killed process was making."""
    return [*path.parent.glob(f".{glob.escape(path.name)}.new-*")]


@cache
def _schema() -> tuple[tuple[str, ...], frozenset[str]]:
    """The versions of MLflow's schema, the last one first, and the tables of the last one."""
    import mlflow
    from alembic.script import ScriptDirectory
    from mlflow.store.db import utils  # noqa: F401 - imports every module that has tables
    from mlflow.store.db.base_sql_model import Base

    scripts = ScriptDirectory(str(Path(mlflow.__file__).parent / "store" / "db_migrations"))
    revisions = tuple(script.revision for script in scripts.walk_revisions())
    return revisions, frozenset(Base.metadata.tables)
