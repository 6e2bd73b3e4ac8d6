"""Run directories made by hand, and a real SQLite store."""

import shutil

import pytest

from alharness import cli
from alharness.api.records import Cell, CycleRecord, Outcome, Plan, Schedule
from alharness.runs import saved
from alharness.runs.journal import Journal

CELLS = tuple(
    Cell(
        label="mine",
        sampler="not-installed",
        params={"a": 1},
        distribution="gone==1",
        seed=seed,
        key=f"k{seed}" * 8,
    )
    for seed in range(3)
)


def sync(*arguments):
    """Exit code of a command line."""
    with pytest.raises(SystemExit) as caught:
        cli.main(["sync", *map(str, arguments)])
    return caught.value.code


@pytest.fixture
def make_run(tmp_path, monkeypatch, fresh_store):
    """A run of three cells, in a folder with an empty store: one is finished, one failed, one never began."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name in ("mlflow.db", "other.db"):
        (tmp_path / name).write_bytes(fresh_store)

    def make(name="demo", tracking="{uri: null, experiment: null}"):
        run = Plan(
            name=name,
            experiment=f"{name}-1234",
            folder=tmp_path / "runs" / f"{name}-1234",
            schedule=Schedule(initial_pool=10, sizes=(2,)),
            pool=50,
            cells=CELLS,
            metric="f1",
            params={"dataset": "gone"},
            spec_text=f"name: {name}\ndataset: {{name: gone}}\ntracking: {tracking}\n",
        )
        for cell, number in zip(CELLS, (2, 1), strict=False):
            book = Journal(run.folder / "cells" / cell.folder, {"x": 1}, now=1_699_999_999_000)
            for n in range(number):
                book.append(
                    CycleRecord(cycle=n, labeled=10 + 2 * n, metrics={"f1": 0.5}, at=1_700_000_000_000 + n)
                )
        saved.save(run, [Outcome(cell=CELLS[1], status="failed", error="it broke")])
        return run.folder

    return make


def found(uri, experiment="demo"):
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    runs = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    return {run.info.run_name: (run.info.status, run.data.params.get("mine.a"), run.data.metrics) for run in runs}


def test_a_run_directory_is_all_that_it_takes(make_run, tmp_path, capsys):
    folder = make_run().rename(tmp_path / "moved")
    shutil.rmtree(tmp_path / "runs")
    assert sync(folder) == 0
    runs = found(f"sqlite:///{tmp_path}/mlflow.db")
    assert {name: run[:2] for name, run in runs.items()} == {
        "mine-s0": ("FINISHED", "1"),
        "mine-s1": ("FAILED", "1"),
    }
    assert runs["mine-s0"][2]["summary/aubc_f1"] == 0.5
    assert "2 of 3 cells are in MLflow" in capsys.readouterr().out


def test_a_second_time_changes_nothing(make_run, tmp_path):
    from mlflow import MlflowClient

    folder = make_run()
    assert [sync(folder), sync(folder)] == [0, 0]
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("demo").experiment_id])
    assert sorted(len(client.get_metric_history(run.info.run_id, "test/f1")) for run in runs) == [1, 2]


def test_options_go_before_the_spec_and_the_spec_before_the_default(make_run, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/no.db")
    other = f"sqlite:///{tmp_path}/other.db"
    folder = make_run(tracking=f"{{uri: '{other}', experiment: /Users/me@x/実験}}")
    assert sync(folder) == 0
    assert found(other, "/Users/me@x/実験")
    here = f"sqlite:///{tmp_path}/mlflow.db"
    assert sync(folder, "--tracking-uri", here, "--experiment", "0123") == 0
    assert found(here, "0123")


def test_an_address_whose_password_was_hidden_is_asked_for_again(make_run, tmp_path):
    folder = make_run(tracking="{uri: 'http://***@127.0.0.1:9', experiment: null}")
    assert sync(folder) == 0
    assert found(f"sqlite:///{tmp_path}/mlflow.db")


def test_a_folder_that_is_no_run_stops_no_other(make_run, tmp_path, capsys):
    folder = make_run()
    assert sync(tmp_path / "nothing", folder) == 1
    assert "nothing: there is no such folder" in capsys.readouterr().err
    assert found(f"sqlite:///{tmp_path}/mlflow.db")


def test_a_store_that_is_away_is_exit_code_6(make_run, capsys):
    assert sync(make_run(), "--tracking-uri", "http://127.0.0.1:9") == 6
    assert "error: MLflow at http://127.0.0.1:9" in capsys.readouterr().err


def test_a_name_that_no_experiment_can_have_is_a_usage_error(make_run, capsys):
    assert sync(make_run(), "--experiment", "a\nb") == 2
    assert "error: --experiment" in capsys.readouterr().err


def test_without_a_run_it_says_how_it_is_used(capsys):
    assert sync() == 2
    assert "Missing argument 'RUN...'" in capsys.readouterr().err
