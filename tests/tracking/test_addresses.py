"""Names of folders that break code which cuts an address as text."""

from pathlib import Path

import pytest

from alharness.tracking.mlflow import addresses
from alharness.tracking.mlflow.store import Store, resolve
from alharness.tracking.plugin import MlflowParams

FOLDERS = ["plain", "my project", "プロジェクト é", "100%25 done", "a#b", "what?", "x;y=1&z"]


@pytest.fixture(params=FOLDERS)
def folder(request, tmp_path):
    made = tmp_path / request.param
    made.mkdir()
    return made


def test_the_file_of_an_address_is_the_file_that_it_was_made_for(folder):
    assert addresses.file_of(addresses.sqlite(folder / "mlflow.db")) == folder / "mlflow.db"


def test_a_quoted_address_and_a_plain_one_are_the_same_store(tmp_path):
    assert addresses.normal(f"sqlite:///{tmp_path}/my%20project/x.db") == f"sqlite:///{tmp_path}/my project/x.db"


@pytest.mark.parametrize("given", [None, "variable", "setting"])
def test_a_store_and_its_files_lie_where_they_should_and_nothing_else_is_made(
    folder, tmp_path, monkeypatch, fresh_store, given
):
    import mlflow

    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (folder / "mlflow.db").write_bytes(fresh_store)
    uri = {None: None, "variable": addresses.sqlite(folder / "mlflow.db"), "setting": "sqlite:///mlflow.db"}[given]
    if given == "variable":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    store = Store(MlflowParams(uri=uri if given == "setting" else None), "/Users/me@x/实验", {}, warn=pytest.fail)
    run = store.client.create_run(store.experiment_id)
    store.client.log_text(run.info.run_id, "here", "note.txt")
    (note,) = tmp_path.rglob("note.txt")
    assert note.is_relative_to(folder / "mlruns" / "Users-me-x-实验")
    assert list(tmp_path.iterdir()) == [folder]
    assert sorted(path.name for path in folder.iterdir()) == ["mlflow.db", "mlruns"]
    client = mlflow.MlflowClient(store.uri)
    assert client.get_run(run.info.run_id).info.run_id == run.info.run_id
    assert list(tmp_path.iterdir()) == [folder]


def test_a_store_of_files_keeps_its_files_with_it(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    store = Store(MlflowParams(uri=(folder / "mlruns").as_uri()), "e", {}, warn=pytest.fail)
    run = store.client.create_run(store.experiment_id)
    store.client.log_text(run.info.run_id, "here", "note.txt")
    (note,) = tmp_path.rglob("note.txt")
    assert note.is_relative_to(folder / "mlruns")
    assert list(tmp_path.iterdir()) == [folder]
    assert addresses.folder_of(store.uri) == folder / "mlruns"


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("sqlite:///x.db", "x.db"),
        ("sqlite:////data/x.db", "/data/x.db"),
        ("sqlite:////data/x.db?timeout=9", "/data/x.db"),
        ("sqlite+pysqlite:////data/x.db", "/data/x.db"),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
        ("postgresql://me:p%40ss@db:5432/data", None),
        ("http://host:5000", None),
    ],
)
def test_the_file_of_a_store(uri, file):
    assert addresses.file_of(uri) == (Path(file) if file else None)


@pytest.mark.parametrize(
    ("uri", "server", "link"),
    [
        ("http://host", True, True),
        ("HTTPS://me:pw@host/x", True, True),
        ("databricks", True, False),
        ("databricks://profile", True, False),
        ("some-plugin://x", True, False),
        ("sqlite:///x.db", False, False),
        ("postgresql+psycopg2://me:[p]@db/x", False, False),
        ("mysql://db/x", False, False),
        ("file:///data/mlruns", False, False),
        ("./mlruns", False, False),
        ("/data/a:b", False, False),
    ],
)
def test_what_is_a_server_and_what_a_browser_opens(uri, server, link):
    assert (addresses.is_server(uri), addresses.is_link(uri)) == (server, link)


def test_files_of_another_database_lie_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = addresses.place_of_artifacts("postgresql://me:pw@db/data", "../../x")
    assert place == (tmp_path / "mlruns" / "x").as_uri()


@pytest.mark.parametrize("name", ["..", "/", "a/../../b", "é" * 300, "=", "a" * 300])
def test_no_name_of_an_experiment_leads_out_of_the_folder(name):
    safe = addresses.safe_name(name)
    assert Path(safe).name == safe
    assert safe not in ("", ".", "..")
    assert len(safe.encode()) < 255


def test_the_default_is_mlflows_in_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert addresses.file_of(resolve(None)) == folder / "mlflow.db"
