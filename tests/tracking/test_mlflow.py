"""Against a real SQLite store; what is written is read back through MLflow's own client."""

import base64
import csv
import json
import math
import time
import zlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import mlflow
import pytest
from mlflow import MlflowClient

from alharness.cells import Cell, Schedule
from alharness.errors import TrackingError
from alharness.records import CellRecord, CycleRecord, Run, RunRecord
from alharness.runs.journal import Journal
from alharness.settings import TrackingSettings
from alharness.tracking import dashboard
from alharness.tracking.mlflow import WRITE_EVERY, MlflowTracker
from alharness.tracking.store import Store, explain

CELL = Cell(label="mine", sampler="first", params={"start": 3}, distribution="toy==1.0", seed=2, key="k" * 16)


def cycle(number, **more):
    given = {
        "metrics": {"f1": 0.5 + 0.1 * number, "corr": math.nan if number else 0.25},
        "diagnostics": {"alpha": 0.2},
        "cost": {"query_seconds": 1.5, "train_seconds": 4.0},
        "chosen": (f"a{number}", f"b{number}"),
        "scores": (0.9, 0.8),
        "at": 1_700_000_000_000 + 1000 * number,
    }
    return CycleRecord(cycle=number, labeled=10 + 2 * number, **(given | more))


@pytest.fixture
def run(tmp_path):
    return Run(
        name="demo",
        experiment="demo-1234",
        folder=tmp_path / "run",
        schedule=Schedule(initial_pool=10, sizes=(2, 2)),
        pool=50,
        cells=(CELL,),
        metric="f1",
        params={"dataset": "toy", "budget": 2},
        environment={"torch": "2"},
        spec_text="name: demo\n",
    )


@pytest.fixture
def uri(tmp_path, monkeypatch, fresh_store):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").write_bytes(fresh_store)
    return f"sqlite:///{tmp_path}/mlflow.db"


def journaled(run, *cycles):
    book = Journal(run.folder / "cells" / CELL.folder, {"x": 1}, now=1_699_999_999_000)
    for record in cycles[len(book.cycles) :]:
        book.append(record)
    return book


def track(run, uri, cycles, status="ok", *, cell=CELL, required=True):
    """A whole run of one cell: start, cycles one by one, end."""
    warnings = []
    tracker = MlflowTracker(TrackingSettings(uri=uri), warnings.append, required=required)
    tracker.alharness_run_started(run)
    for number, record in enumerate(cycles, 1):
        journaled(run, *cycles[:number])
        tracker.alharness_cycle_finished(run, CELL, record)
    ended = CellRecord(
        cell=cell, status=status, cycles=tuple(cycles), error="it broke" if status == "failed" else ""
    )
    tracker.alharness_run_finished(run, RunRecord(cells=(ended,)))
    return tracker, warnings


def stored(uri):
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name("demo")
    return client, client.search_runs([experiment.experiment_id])


ALL = [cycle(0), cycle(1), cycle(2, chosen=(), scores=(), cost={"train_seconds": 4.0})]


def test_a_cell_is_one_flat_run_with_params_tags_and_metrics(run, uri):
    track(run, uri, ALL)
    client, (found,) = stored(uri)
    assert found.info.run_name == "mine-s2"
    assert found.info.status == "FINISHED"
    assert (found.info.start_time, found.info.end_time) == (1_699_999_999_000, 1_700_000_002_000)
    assert found.data.params == {
        "sampler": "mine",
        "seed": "2",
        "dataset": "toy",
        "budget": "2",
        "mine.start": "3",
    }
    tags = found.data.tags
    assert tags["alharness.plugin"] == "toy==1.0"
    assert tags["alharness.status"] == "ok"
    assert tags["mlflow.runColor"] == "#0072B2"
    assert "mlflow.parentRunId" not in tags
    history = client.get_metric_history(found.info.run_id, "test/f1")
    assert [(p.step, p.value, p.timestamp) for p in history] == [
        (10, 0.5, 1_700_000_000_000),
        (12, 0.6, 1_700_000_001_000),
        (14, 0.7, 1_700_000_002_000),
    ]
    assert found.data.metrics["al/alpha"] == 0.2
    assert found.data.metrics["cost/query_seconds"] == 1.5
    assert found.data.metrics["summary/query_seconds_total"] == 3.0
    assert found.data.metrics["summary/overall_seconds"] == 15.0
    assert found.data.metrics["summary/aubc_f1"] == pytest.approx(0.6)


def test_a_reference_is_told_from_cells_and_has_no_area(run, uri):
    cell = Cell(
        label="full-data", sampler="full-data", params={}, distribution="", seed=2, key="r" * 16, reference=True
    )
    run = replace(run, cells=(CELL, cell))
    only = cycle(0, chosen=(), scores=(), cost={"train_seconds": 4.0})
    Journal(run.folder / "cells" / cell.folder, {"x": 1}, now=1_699_999_999_000).append(only)
    tracker = MlflowTracker(TrackingSettings(uri=uri), print, required=True)
    tracker.alharness_run_started(run)
    tracker.alharness_run_finished(run, RunRecord(cells=(CellRecord(cell=cell, status="ok", cycles=(only,)),)))
    _, (found,) = stored(uri)
    assert found.info.run_name == "full-data-s2"
    assert found.data.tags["alharness.kind"] == "reference"
    assert found.data.tags["mlflow.runColor"] == "#666666"
    assert "summary/aubc_f1" not in found.data.metrics
    assert found.data.metrics["summary/overall_seconds"] == 4.0


def test_what_is_not_finite_is_not_logged(run, uri):
    track(run, uri, ALL)
    client, (found,) = stored(uri)
    assert [point.value for point in client.get_metric_history(found.info.run_id, "test/corr")] == [0.25]


def test_the_files_hold_spec_environment_journal_and_every_choice(run, uri, tmp_path):
    track(run, uri, ALL)
    client, (found,) = stored(uri)
    folder = Path(client.download_artifacts(found.info.run_id, "", str(tmp_path)))
    assert (folder / "spec.yaml").read_text() == "name: demo\n"
    assert (folder / "env.txt").read_text() == "torch: 2\n"
    assert (folder / "journal.jsonl").read_bytes() == (
        run.folder / "cells" / CELL.folder / "journal.jsonl"
    ).read_bytes()
    rows = list(csv.DictReader((folder / "selections.csv").open()))
    assert len(rows) == 4
    assert rows[3] == {"cycle": "1", "rank": "1", "id": "b1", "score": "0.8"}


def test_an_id_that_a_spreadsheet_would_execute_is_defused_among_the_choices(run, uri, tmp_path):
    track(run, uri, [cycle(0, chosen=("=cmd|' /C calc'!A0", "-7"), scores=())], status="interrupted")
    client, (found,) = stored(uri)
    path = client.download_artifacts(found.info.run_id, "selections.csv", str(tmp_path))
    assert [row["id"] for row in csv.DictReader(Path(path).read_text().splitlines())] == [
        "'=cmd|' /C calc'!A0",
        "-7",
    ]


def test_tracking_twice_doubles_nothing(run, uri):
    for _ in range(2):
        track(run, uri, ALL)
    client, found = stored(uri)
    assert len(found) == 1
    assert len(client.get_metric_history(found[0].info.run_id, "test/f1")) == 3


def test_a_cell_that_goes_on_later_goes_on_in_its_run(run, uri):
    track(run, uri, ALL[:1], status="interrupted")
    assert stored(uri)[1][0].info.status == "KILLED"
    track(run, uri, ALL)
    client, (found,) = stored(uri)
    assert found.info.status == "FINISHED"
    assert len(client.get_metric_history(found.info.run_id, "test/f1")) == 3


@pytest.fixture
def clock(monkeypatch):
    """The tracker's clock, set by hand."""
    clock = SimpleNamespace(now=1000.0, monotonic=lambda: clock.now, time_ns=time.time_ns)
    monkeypatch.setattr("alharness.tracking.mlflow.time", clock)
    return clock


@pytest.fixture
def calls(monkeypatch):
    """How many metrics each call to MLflow wrote."""
    calls = []
    log_batch = MlflowClient.log_batch

    def counted(client, run_id, metrics=(), **more):
        calls.extend([len(metrics)] if metrics else [])
        return log_batch(client, run_id, metrics=metrics, **more)

    monkeypatch.setattr(MlflowClient, "log_batch", counted)
    return calls


def test_cycles_of_a_few_seconds_are_written_together_and_all_when_the_cell_ends(run, uri, clock, calls):
    run = replace(run, schedule=Schedule(initial_pool=10, sizes=(2,) * 5))
    tracker = MlflowTracker(TrackingSettings(uri=uri), print, required=True)
    tracker.alharness_run_started(run)
    cycles = [cycle(number) for number in range(6)]
    written = []
    for number, seconds in enumerate((0, 1, WRITE_EVERY - 0.1, WRITE_EVERY, WRITE_EVERY + 1, WRITE_EVERY + 2)):
        clock.now = 1000 + seconds
        journaled(run, *cycles[: number + 1])
        tracker.alharness_cycle_finished(run, CELL, cycles[number])
        client, found = stored(uri)
        written.append(len(client.get_metric_history(found[0].info.run_id, "test/f1")) if found else 0)
    assert written == [0, 0, 0, 4, 4, 6]
    assert len(calls) == 3  # the last one is the summary's
    assert found[0].info.status == "FINISHED"  # at once, not when all other cells are


def test_what_a_failed_cell_left_is_written_with_the_next_cell(run, uri, clock):
    other = replace(CELL, seed=3, key="o" * 16)
    run = replace(run, cells=(CELL, other))
    tracker = MlflowTracker(TrackingSettings(uri=uri), print, required=False)
    for number in range(2):
        journaled(run, *ALL[: number + 1])
        tracker.alharness_cycle_finished(run, CELL, ALL[number])
    clock.now += WRITE_EVERY
    Journal(run.folder / "cells" / other.folder, {"x": 1}, now=1_699_999_999_000).append(ALL[0])
    tracker.alharness_cycle_finished(run, other, ALL[0])
    client, found = stored(uri)
    lengths = {r.info.run_name: len(client.get_metric_history(r.info.run_id, "test/f1")) for r in found}
    assert lengths == {"mine-s2": 2, "mine-s3": 1}


def test_cycles_of_a_killed_run_are_written_by_the_next_one(run, uri, clock):
    tracker = MlflowTracker(TrackingSettings(uri=uri), print, required=False)
    tracker.alharness_run_started(run)
    for number in range(2):
        journaled(run, *ALL[: number + 1])
        tracker.alharness_cycle_finished(run, CELL, ALL[number])
    assert tracker.store is None
    track(run, uri, ALL[:2], status="interrupted")
    client, (found,) = stored(uri)
    assert len(client.get_metric_history(found.info.run_id, "test/f1")) == 2


def test_more_metrics_than_mlflow_takes_at_once(run, uri, calls):
    many = cycle(0, diagnostics={f"d{number}": 1.0 for number in range(1200)})
    track(run, uri, [many], status="interrupted")
    assert calls[0] == 1000
    assert sum(calls) > 1200
    assert stored(uri)[1][0].data.metrics["al/d1199"] == 1.0


@pytest.mark.parametrize(("cycles", "seconds", "opened"), [(1, 0, False), (1, WRITE_EVERY, True), (3, 0, True)])
def test_a_store_that_is_not_required_is_opened_when_there_is_something_to_write(
    run, uri, clock, cycles, seconds, opened
):
    tracker = MlflowTracker(TrackingSettings(uri=uri), print, required=False)
    tracker.alharness_run_started(run)
    assert tracker.store is None
    clock.now += seconds
    journaled(run, *ALL[:cycles])
    tracker.alharness_cycle_finished(run, CELL, ALL[cycles - 1])
    assert (tracker.store is not None) == opened


def test_how_queries_were_measured_is_a_tag(run, uri):
    shared = [replace(record, timing="shared") for record in ALL]
    track(run, uri, [ALL[0], *shared[1:]])
    assert stored(uri)[1][0].data.tags["alharness.timing"] == "shared"
    (run.folder / "cells" / CELL.folder / "journal.jsonl").unlink()
    other = replace(run, experiment="demo-5678")
    track(other, uri, ALL)
    assert {found.data.tags["alharness.timing"] for found in stored(uri)[1]} == {"shared", "exclusive"}


def test_a_cell_that_was_measured_again_is_a_new_run_in_place_of_the_old_one(run, uri):
    track(run, uri, [replace(record, timing="shared") for record in ALL])
    _, (old,) = stored(uri)
    again = [replace(record, cost={**record.cost, "query_seconds": 0.25}) for record in ALL[:2]] + ALL[2:]
    journaled(run, *ALL).replace(again)
    track(run, uri, [])
    assert len(stored(uri)[1]) == 1  # nothing yet: the run's record is empty
    cell = CellRecord(cell=CELL, status="ok", cycles=tuple(again))
    for _ in range(2):
        tracker = MlflowTracker(TrackingSettings(uri=uri), print, required=True)
        tracker.alharness_run_started(run)
        tracker.alharness_run_finished(run, RunRecord(cells=(cell,)))
        client, (found,) = stored(uri)
    assert found.info.run_id != old.info.run_id
    assert found.info.status == "FINISHED"
    assert found.data.tags["alharness.timing"] == "exclusive"
    history = client.get_metric_history(found.info.run_id, "cost/query_seconds")
    assert [point.value for point in history] == [0.25, 0.25]
    assert found.info.end_time == old.info.end_time


def test_cycles_that_the_store_missed_are_written_at_the_end(run, uri):
    journaled(run, *ALL)
    tracker = MlflowTracker(TrackingSettings(uri=uri), print, required=True)
    tracker.alharness_run_started(run)
    tracker.alharness_run_finished(run, RunRecord(cells=(CellRecord(cell=CELL, status="ok", cycles=tuple(ALL)),)))
    client, (found,) = stored(uri)
    assert len(client.get_metric_history(found.info.run_id, "test/f1")) == 3
    assert found.info.status == "FINISHED"


def test_a_failed_cell_says_why(run, uri):
    track(run, uri, ALL[:2], status="failed")
    _, (found,) = stored(uri)
    assert found.info.status == "FAILED"
    assert found.data.tags["alharness.error"] == "it broke"


def test_a_cell_that_never_began_leaves_no_run(run, uri):
    track(run, uri, [], status="pending")
    assert stored(uri)[1] == []


def test_synthetic_data_are_tagged(run, uri):
    track(replace(run, synthetic=True), uri, ALL)
    assert stored(uri)[1][0].data.tags["synthetic"] == "true"


def test_an_experiment_named_in_the_spec_is_another_one_for_synthetic_data(run, uri):
    settings = TrackingSettings(uri=uri, experiment="mine")
    for synthetic in (False, True):
        MlflowTracker(settings, print, required=True).alharness_run_started(replace(run, synthetic=synthetic))
    names = {found.name for found in MlflowClient(uri).search_experiments()}
    assert {"mine", "mine-standin"} <= names


def test_the_spec_goes_before_the_environment_and_that_before_mlflows_default(uri, tmp_path, monkeypatch):
    other = f"sqlite:///{tmp_path}/other.db"
    (tmp_path / "other.db").write_bytes((tmp_path / "mlflow.db").read_bytes())
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert Store(TrackingSettings(), "demo", {}).uri == uri
    monkeypatch.setenv("MLFLOW_TRACKING_URI", other)
    assert Store(TrackingSettings(), "demo", {}).uri == other
    assert Store(TrackingSettings(uri=uri), "demo", {}).uri == uri


def test_a_store_that_cannot_be_opened_is_a_warning(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    uri = f"sqlite:///{tmp_path}/file/no.db"
    tracker, warnings = track(run, uri, ALL, required=False)
    assert tracker.store is None
    assert "Tracking is offline; results are safe in the journals" in warnings[0]
    assert uri in warnings[0]


def test_a_store_that_comes_back_gets_everything_at_the_end(run, uri, tmp_path):
    store = tmp_path / "mlflow.db"
    content = store.read_bytes()
    store.unlink()
    store.mkdir()  # no database can be opened there
    warnings = []
    tracker = MlflowTracker(TrackingSettings(uri=uri), warnings.append, required=False)
    tracker.alharness_run_started(run)
    journaled(run, *ALL)
    tracker.alharness_cycle_finished(run, CELL, ALL[-1])
    store.rmdir()
    store.write_bytes(content)
    tracker.alharness_run_finished(run, RunRecord(cells=(CellRecord(cell=CELL, status="ok", cycles=tuple(ALL)),)))
    client, (found,) = stored(uri)
    assert len(warnings) == 1
    assert len(client.get_metric_history(found.info.run_id, "test/f1")) == 3


def test_where_tracking_is_required_it_is_an_error(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(TrackingError):
        track(run, f"sqlite:///{tmp_path}/file/no.db", ALL)


def test_a_store_that_is_lost_in_between_is_an_error_of_tracking(run, uri, monkeypatch):
    tracker = MlflowTracker(TrackingSettings(uri=uri), print, required=True)
    tracker.alharness_run_started(run)
    journaled(run, *ALL)
    monkeypatch.setattr(tracker.store.client, "log_batch", lambda *_, **__: 1 / 0)
    with pytest.raises(TrackingError):
        tracker.alharness_run_finished(run, RunRecord(cells=(CellRecord(cell=CELL, status="ok"),)))


def test_a_server_that_is_down_is_given_up_quickly(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    tracker, warnings = track(run, "http://user:secret@127.0.0.1:9", ALL, required=False)
    assert tracker.store is None
    assert "secret" not in "".join(warnings)
    assert "127.0.0.1:9" in warnings[0]


def test_a_deleted_experiment_is_explained(run, uri):
    track(run, uri, ALL)
    client, found = stored(uri)
    client.delete_experiment(found[0].info.experiment_id)
    with pytest.raises(TrackingError, match="'demo' was deleted.*set tracking.experiment to another name"):
        Store(TrackingSettings(uri=uri), "demo", {})


def test_another_schema_is_explained_with_its_remedy():
    text = explain(RuntimeError("Detected out-of-date database schema (found version a)"), "sqlite:///old.db")
    assert "mlflow db upgrade sqlite:///old.db" in text


def tag_of_the_view(uri):
    return MlflowClient(uri).get_experiment_by_name("demo").tags.get(dashboard.TAG)


def test_a_run_leaves_its_dashboard(run, uri):
    tracker, warnings = track(run, uri, ALL)
    cell = CellRecord(cell=CELL, status="ok", cycles=tuple(ALL), started=0)
    assert tag_of_the_view(uri) == dashboard.make_tag(run, RunRecord(cells=(cell,)))
    assert tracker.store.view
    assert warnings == []


@pytest.mark.parametrize("required", [False, True])
def test_a_dashboard_that_cannot_be_left_is_one_warning(run, uri, monkeypatch, required):
    write = MlflowClient.set_experiment_tag

    def refuse(client, experiment, key, value):
        if key == dashboard.TAG:
            raise RuntimeError("no http://user:secret@host")
        write(client, experiment, key, value)

    monkeypatch.setattr(MlflowClient, "set_experiment_tag", refuse)
    tracker, (warning,) = track(run, uri, ALL, required=required)
    assert warning == f"MLflow at {uri}: no http://***@host. The experiment has no ready dashboard"
    assert tracker.store is not None
    assert not tracker.store.view
    assert stored(uri)[1][0].info.status == "FINISHED"


def test_another_major_version_of_mlflow_gets_no_dashboard(run, uri, monkeypatch):
    monkeypatch.setattr(mlflow, "__version__", "4.0.0")
    tracker, warnings = track(run, uri, ALL)
    assert tag_of_the_view(uri) is None
    assert not tracker.store.view
    assert warnings == []


def kinds(uri):
    return sorted((found.info.run_name, found.data.tags["alharness.kind"]) for found in stored(uri)[1])


def test_cells_that_the_spec_has_no_longer_are_former_until_it_has_them_again(run, uri):
    track(run, uri, ALL)
    changed = replace(CELL, params={"start": 4}, key="c" * 16)
    book = Journal(run.folder / "cells" / changed.folder, {"x": 1}, now=1_700_000_009_000)
    for record in ALL:
        book.append(record)
    track(replace(run, cells=(changed,)), uri, [], cell=changed)
    assert kinds(uri) == [("mine-s2", "cell"), ("mine-s2", "former")]
    (former,) = (f for f in stored(uri)[1] if f.data.tags["alharness.kind"] == "former")
    assert former.data.tags["alharness.cell"] == CELL.key
    track(run, uri, [])
    assert {f.data.tags["alharness.cell"]: f.data.tags["alharness.kind"] for f in stored(uri)[1]} == {
        CELL.key: "cell",
        changed.key: "former",
    }


def test_of_a_cell_that_was_begun_anew_the_last_one_counts(run, uri):
    track(run, uri, ALL)
    path = run.folder / "cells" / CELL.folder / "journal.jsonl"
    path.unlink()
    book = Journal(path.parent, {"x": 1}, now=1_700_000_009_000)
    for record in ALL:
        book.append(record)
    track(run, uri, ALL)
    found = {f.data.tags["alharness.started"]: f.data.tags["alharness.kind"] for f in stored(uri)[1]}
    assert found == {"1699999999000": "former", "1700000009000": "cell"}


def test_cells_of_other_settings_are_left_alone(run, uri):
    track(run, uri, ALL)
    track(replace(run, experiment="demo-5678"), uri, ALL)
    assert kinds(uri) == [("mine-s2", "cell")] * 2
    _, view = dashboard_of(uri)
    assert 'tags.`alharness.experiment` = "demo-5678"' in view


def dashboard_of(uri):
    """What stands around the view, and its filter."""
    outer = json.loads(tag_of_the_view(uri))
    packed = base64.b64decode(outer["state"].removeprefix("deflate;"))
    return outer, json.loads(zlib.decompress(packed))["searchFilter"]


def test_mlflow_understands_the_filter_of_the_dashboard(run, uri):
    track(run, uri, ALL)
    client, (found,) = stored(uri)
    _, text = dashboard_of(uri)

    def shown():
        return [r.info.run_id for r in client.search_runs([found.info.experiment_id], text)]

    assert shown() == [found.info.run_id]
    client.set_terminated(found.info.run_id, "FAILED")
    assert shown() == []
    client.set_terminated(found.info.run_id, "FINISHED")
    client.set_tag(found.info.run_id, "alharness.kind", "reference")
    assert shown() == []


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
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    (tmp_path / "my store.db").write_bytes((tmp_path / "mlflow.db").read_bytes())
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if environment:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", environment.format(here=tmp_path))
    opened = Store(TrackingSettings(uri=store.format(here=tmp_path)), "demo", {})
    assert opened.how_to_open == command.format(here=tmp_path)


def test_a_command_that_is_not_on_the_path_is_named_with_its_folder(uri, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("sys.executable", str(Path.cwd() / "env/bin/python"))
    assert Store(TrackingSettings(uri=uri), "demo", {}).how_to_open == "env/bin/alharness ui"


@pytest.mark.parametrize("view", [False, True])
def test_how_to_open_a_server(uri, view):
    opened = Store(TrackingSettings(uri=uri), "demo", {})
    opened.uri, opened.experiment_id, opened.view = "http://user:secret@host:5000", "7", view
    assert opened.how_to_open == dashboard.deep_link("http://host:5000", "7", view=view)
