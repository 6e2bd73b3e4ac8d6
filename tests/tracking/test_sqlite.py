"""Stores that were left half made. Making one takes seconds, so most tests copy one that was made before."""

import os
import sqlite3
import threading
import time
from contextlib import closing

import filelock
import pytest

from alharness.errors import TrackingError
from alharness.tracking.mlflow import addresses, sqlite
from alharness.tracking.mlflow.sqlite import look, make_ready
from alharness.tracking.mlflow.store import opened

EARLIER = "451aebb31d03"
"""An early version of MLflow's schema."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mlflow.db"


@pytest.fixture
def made(monkeypatch, fresh_store):
    """How often a store was made; MLflow's part is quick."""
    made = []

    def make(uri, root):
        made.append(uri)
        addresses.file_of(uri).write_bytes(fresh_store)

    monkeypatch.setattr(sqlite, "_make_tables", make)
    monkeypatch.setattr(sqlite, "QUIET", 0.05)
    return made


def change(path, fresh, *statements):
    """A store that these statements have changed."""
    path.write_bytes(fresh)
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def names(path):
    return sorted(file.name for file in path.parent.iterdir())


ADD_RUN = "insert into runs (run_uuid, name, experiment_id, lifecycle_stage) values ('r', 'r', 0, 'active')"
NO_VERSION = "delete from alembic_version"
AN_EARLIER_ONE = f"update alembic_version set version_num = '{EARLIER}'"
LEFTOVER = "create table _alembic_tmp_latest_metrics (x int)"


def test_a_store_is_made_with_nothing_next_to_it_but_the_lock(path, made):
    make_ready(path, pytest.fail)
    assert look(path).state == "whole"
    assert names(path) == [".mlflow.db.lock", "mlflow.db"]


def test_one_that_is_whole_is_left_alone_without_a_lock(path, made, fresh_store):
    path.write_bytes(fresh_store)
    make_ready(path, pytest.fail)
    assert (made, names(path)) == ([], ["mlflow.db"])


HALF = {
    "empty file": None,
    "no version": [NO_VERSION],
    "version missing": ["drop table alembic_version"],
    "an earlier version": [AN_EARLIER_ONE],
    "a leftover of a change": [AN_EARLIER_ONE, LEFTOVER],
    "tables missing": ["drop table tags", "drop table latest_metrics"],
    "first tables only": [NO_VERSION, "drop table experiments", "drop table workspaces"],
}


@pytest.mark.parametrize("statements", HALF.values(), ids=HALF)
@pytest.mark.parametrize("side", ["", "-journal", "-wal"])
def test_case_22_half_a_store_without_runs_is_kept_aside_and_made_again(path, made, fresh_store, statements, side):
    if statements is None:
        path.touch()
    else:
        change(path, fresh_store, *statements)
    if side:
        path.with_name(f"mlflow.db{side}").write_bytes(b"left over")
    before = path.read_bytes()
    said = []
    make_ready(path, said.append)
    assert look(path).state == "whole"
    assert [name for name in names(path) if name.startswith("mlflow.db-") and "old" not in name] == []
    if statements is not None:
        assert (path.parent / "mlflow.db.old-1").read_bytes() == before
        assert "kept as mlflow.db.old-1" in said[0]
    with opened(addresses.sqlite(path), pytest.fail) as client:
        assert [experiment.name for experiment in client.search_experiments()] == ["Default"]


def test_a_journal_of_a_file_that_is_gone_is_not_played_into_the_new_one(path, made):
    path.with_name("mlflow.db-journal").write_bytes(b"of another database")
    make_ready(path, pytest.fail)
    assert look(path).state == "whole"
    assert names(path) == [".mlflow.db.lock", "mlflow.db", "mlflow.db-journal.old-1"]


@pytest.mark.parametrize(
    ("statements", "remedy"),
    [
        ([ADD_RUN, AN_EARLIER_ONE], "an older version of MLflow made this store: back it up, then run `mlflow db"),
        (
            [ADD_RUN, AN_EARLIER_ONE, LEFTOVER],
            "It holds 1 runs, so it is left as it is. Put a backup in its place",
        ),
        ([ADD_RUN, NO_VERSION], "`alharness sync RUN_DIRECTORY` writes runs of alharness to it"),
        ([ADD_RUN, "drop table tags"], "is incomplete"),
        (["update alembic_version set version_num = 'future'"], "a newer version of MLflow made this store"),
    ],
)
def test_case_22_a_store_that_may_hold_results_is_left_as_it_is_and_the_remedy_is_named(
    path, made, fresh_store, statements, remedy
):
    change(path, fresh_store, *statements)
    before = path.read_bytes()
    with pytest.raises(TrackingError, match=remedy):
        make_ready(path, pytest.fail)
    assert (path.read_bytes(), made) == (before, [])


def test_a_database_of_another_program_is_left_alone(path, made):
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table recipes (x int)")
    with pytest.raises(TrackingError, match="is a database of another program: name another store"):
        make_ready(path, pytest.fail)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("disk is full")])
def test_a_making_that_fails_leaves_nothing_and_the_next_one_succeeds(path, made, monkeypatch, error):
    works = sqlite._make_tables

    def fail(uri, root):
        addresses.file_of(uri).write_bytes(b"part of a database")
        raise error

    monkeypatch.setattr(sqlite, "_make_tables", fail)
    with pytest.raises(type(error)):
        make_ready(path, pytest.fail)
    assert names(path) == [".mlflow.db.lock"]
    monkeypatch.setattr(sqlite, "_make_tables", works)
    make_ready(path, pytest.fail)
    assert look(path).state == "whole"


def test_no_name_is_used_twice_because_mlflow_keeps_what_it_opened(path, made, monkeypatch):
    works, tried = sqlite._make_tables, []

    def fail(uri, root):
        tried.append(uri)
        raise RuntimeError("disk is full")

    monkeypatch.setattr(sqlite, "_make_tables", fail)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            make_ready(path, pytest.fail)
    monkeypatch.setattr(sqlite, "_make_tables", works)
    make_ready(path, pytest.fail)
    assert len({*tried, *made}) == 3


def test_what_a_killed_process_was_making_is_begun_again(path, made):
    for name in (".mlflow.db.new-1a2b", ".mlflow.db.new-1a2b-journal"):
        path.with_name(name).write_bytes(b"half a database")
    make_ready(path, pytest.fail)
    assert names(path) == [".mlflow.db.lock", "mlflow.db"]


def test_a_kill_after_the_store_has_its_name_leaves_it_whole(path, made, fresh_store):
    path.write_bytes(fresh_store)
    os.link(path, path.with_name(".mlflow.db.new-1a2b"))
    make_ready(path, pytest.fail)
    assert names(path) == [".mlflow.db.lock", "mlflow.db"]
    assert look(path).state == "whole"
    assert made == []


def test_case_23_of_many_at_once_one_makes_the_store(path, made):
    started = threading.Barrier(4)
    failures = []

    def use():
        started.wait()
        try:
            make_ready(path, failures.append)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, len(made)) == ([], 1)


def test_the_lock_lies_in_the_folder_of_the_store(path, made, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("own")))
    monkeypatch.setattr(sqlite, "PATIENCE", 0.05)
    with filelock.FileLock(path.with_name(".mlflow.db.lock")), pytest.raises(filelock.Timeout):
        make_ready(path, pytest.fail)
    assert made == []


def test_another_program_that_makes_the_store_right_now_is_waited_for(path, made, fresh_store, monkeypatch):
    monkeypatch.setattr(sqlite, "QUIET", 10.0)
    change(path, fresh_store, NO_VERSION)

    def go_on():
        for _ in range(3):
            time.sleep(0.2)
            os.utime(path)
        whole = path.with_name("whole")
        whole.write_bytes(fresh_store)
        whole.rename(path)

    other = threading.Thread(target=go_on)
    other.start()
    make_ready(path, pytest.fail)
    other.join()
    assert (look(path).state, made) == ("whole", [])


def test_a_file_that_another_program_made_meanwhile_is_not_replaced(path, made, fresh_store, monkeypatch):
    def make(uri, root):
        addresses.file_of(uri).write_bytes(fresh_store)
        change(path, fresh_store, ADD_RUN)

    monkeypatch.setattr(sqlite, "_make_tables", make)
    make_ready(path, pytest.fail)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("select count(*) from runs").fetchone() == (1,)


def test_a_folder_that_cannot_be_written_to_is_said_at_once(tmp_path, made):
    (tmp_path / "file").touch()
    began = time.monotonic()
    with (
        pytest.raises(TrackingError, match="MLflow at sqlite:///"),
        opened(f"sqlite:///{tmp_path}/file/x.db", print),
    ):
        pass
    assert time.monotonic() - began < 5


def test_looking_at_a_store_makes_none(tmp_path):
    with pytest.raises(TrackingError, match="there is no MLflow store"), opened(f"sqlite:///{tmp_path}/x.db"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_mlflow_was_interrupted_in_is_made_again(path, made, monkeypatch):
    """Really interrupted: the same tables that a kill leaves."""

    from mlflow import MlflowClient
    from mlflow.store.db import utils
    from mlflow.store.tracking.dbmodels.initial_models import Base

    engine = utils.create_sqlalchemy_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    assert look(path).state == "half"
    make_ready(path, print)
    assert MlflowClient(f"sqlite:///{path}").search_experiments()[0].name == "Default"
