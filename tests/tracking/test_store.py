"""Which store is opened, what is said if that fails, and how it is shown."""

import pytest

from alharness.errors import TrackingError
from alharness.tracking.mlflow import dashboard
from alharness.tracking.mlflow.store import Store, explain
from alharness.tracking.plugin import MlflowParams


@pytest.fixture
def uri(tmp_path, monkeypatch, fresh_store):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").write_bytes(fresh_store)
    return f"sqlite:///{tmp_path}/mlflow.db"


def test_the_spec_goes_before_the_environment_and_that_before_mlflows_default(uri, tmp_path, monkeypatch):
    other = f"sqlite:///{tmp_path}/other.db"
    (tmp_path / "other.db").write_bytes((tmp_path / "mlflow.db").read_bytes())
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert Store(MlflowParams(), "demo", {}, warn=pytest.fail).uri == uri
    monkeypatch.setenv("MLFLOW_TRACKING_URI", other)
    assert Store(MlflowParams(), "demo", {}, warn=pytest.fail).uri == other
    assert Store(MlflowParams(uri=uri), "demo", {}, warn=pytest.fail).uri == uri


def test_case_22_a_deleted_experiment_is_explained(uri):
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    client.delete_experiment(client.create_experiment("demo"))
    with pytest.raises(TrackingError, match="'demo' was deleted.*set tracking.experiment to another name"):
        Store(MlflowParams(uri=uri), "demo", {}, warn=pytest.fail)


def test_case_22_another_schema_is_explained_with_its_remedy():
    text = explain(RuntimeError("Detected out-of-date database schema (found version a)"), "sqlite:///old.db")
    assert "mlflow db upgrade sqlite:///old.db" in text


def test_case_22_a_locked_database_is_explained_in_one_line():
    text = explain(RuntimeError("(sqlite3.OperationalError) database is locked\n[SQL: insert]"), "sqlite:///x.db")
    assert text == (
        "MLflow at sqlite:///x.db: (sqlite3.OperationalError) database is locked; another program holds it: end "
        "that program, or wait for it"
    )


@pytest.mark.parametrize(
    ("store", "environment", "command"),
    [
        ("sqlite:///{here}/mlflow.db", None, "alharness ui"),
        ("sqlite:///{here}/mlflow.db", "sqlite:///{here}/mlflow.db", "alharness ui"),
        ("sqlite:///{here}/mlflow.db", "sqlite:///x.db", "alharness ui --store sqlite:///{here}/mlflow.db"),
        ("sqlite:///{here}/my store.db", None, "alharness ui --store 'sqlite:///{here}/my store.db'"),
    ],
)
def test_how_to_open_a_store_that_is_here(uri, tmp_path, monkeypatch, store, environment, command):
    monkeypatch.setattr("alharness.text.words._program", lambda: ["alharness"])
    (tmp_path / "my store.db").write_bytes((tmp_path / "mlflow.db").read_bytes())
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if environment:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", environment.format(here=tmp_path))
    opened = Store(MlflowParams(uri=store.format(here=tmp_path)), "demo", {}, warn=pytest.fail)
    assert opened.how_to_open == command.format(here=tmp_path)


@pytest.mark.parametrize("view", [False, True])
def test_how_to_open_a_server(uri, view):
    opened = Store(MlflowParams(uri=uri), "demo", {}, warn=pytest.fail)
    opened.uri, opened.experiment_id, opened.view = "http://user:secret@host:5000", "7", view
    assert opened.how_to_open == dashboard.deep_link("http://host:5000", "7", view=view)


def test_how_to_open_a_workspace_that_no_link_leads_to(uri):
    opened = Store(MlflowParams(uri=uri), "/Users/me@x/bench", {}, warn=pytest.fail)
    opened.uri = "databricks"
    assert opened.how_to_open == "/Users/me@x/bench at databricks"


def test_an_experiment_that_another_process_makes_meanwhile_is_used(uri, monkeypatch):
    from mlflow import MlflowClient

    create = MlflowClient.create_experiment

    def late(client, name, **more):
        create(client, name)
        return create(client, name, **more)

    monkeypatch.setattr(MlflowClient, "create_experiment", late)
    opened = Store(MlflowParams(uri=uri), "demo", {"a": "b"}, warn=pytest.fail)
    assert MlflowClient(uri).get_experiment(opened.experiment_id).tags["a"] == "b"
