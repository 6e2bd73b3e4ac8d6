"""Against a real SQLite store."""

import pytest

from alharness.errors import TrackingError
from alharness.tracking.mlflow.dashboard import TAG
from alharness.tracking.mlflow.experiments import CHANGED, Tracked, choose, find


@pytest.fixture
def client(tmp_path, fresh_store):
    from mlflow import MlflowClient

    (tmp_path / "mlflow.db").write_bytes(fresh_store)
    return MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")


@pytest.fixture
def uri(tmp_path, client):
    return f"sqlite:///{tmp_path}/mlflow.db"


def make(client, name, **tags):
    return client.create_experiment(name, tags={"alharness.experiment": f"{name}-1", **tags})


def test_the_one_that_was_changed_last_comes_first(client, uri):
    make(client, "old", **{CHANGED: "1"})
    new = make(client, "new", **{CHANGED: "30", TAG: "{}"})
    make(client, "between", **{CHANGED: "4"})
    client.create_experiment("another program's")
    found = find(uri)
    assert [experiment.name for experiment in found] == ["new", "between", "old"]
    assert found[0] == Tracked(name="new", id=new, changed=30, view=True)
    assert not found[1].view


def test_one_of_an_older_version_is_as_old_as_mlflow_says(client, uri):
    make(client, "long ago", **{CHANGED: "1"})
    number = make(client, "older version")
    client.create_experiment("x")
    found = find(uri)
    assert found[0].name == "older version"
    assert found[0].changed == client.get_experiment(number).last_update_time


def test_one_that_was_deleted_is_not_there(client, uri):
    make(client, "kept")
    client.delete_experiment(make(client, "gone"))
    assert [experiment.name for experiment in find(uri)] == ["kept"]


def test_a_store_without_experiments_of_ours_says_how_to_make_one(client, uri):
    client.create_experiment("another program's")
    with pytest.raises(TrackingError, match=f"MLflow at {uri} has no experiment of alharness yet: `alharness run"):
        find(uri)


def test_a_store_that_is_not_there_says_how_to_make_one_and_is_not_made(tmp_path):
    with pytest.raises(TrackingError, match=f"there is no MLflow store {tmp_path}/no.db: `alharness run SPEC`"):
        find(f"sqlite:///{tmp_path}/no.db")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_store_is_refused_at_once(tmp_path):
    (tmp_path / "text.db").write_text("not a database, but long enough to be looked at as one" * 50)
    with pytest.raises(TrackingError, match="text.db: file is not a database"):
        find(f"sqlite:///{tmp_path}/text.db")


EXPERIMENTS = [
    Tracked(name=name, id=str(n), changed=9 - n, view=False) for n, name in enumerate(["one", "digits"])
]


def test_without_a_name_the_first_is_chosen():
    assert choose(EXPERIMENTS, None).name == "one"
    assert choose(EXPERIMENTS, "digits").id == "1"


@pytest.mark.parametrize(
    ("name", "message"), [("digit", "'digit'; did you mean 'digits'"), ("zzz", "there are: one, digits")]
)
def test_an_unknown_name_is_refused_with_those_that_are_there(name, message):
    with pytest.raises(TrackingError, match=message):
        choose(EXPERIMENTS, name)
