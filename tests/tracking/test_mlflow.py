"""Against a real SQLite store; what is written is read back through MLflow's own client."""

import base64
import contextlib
import csv
import json
import math
import socket
import sqlite3
import threading
import time
import zlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from alharness.api.records import Cell, CycleRecord, Outcome, Outcomes, Plan, Schedule
from alharness.errors import TrackingError
from alharness.runs.journal import Journal
from alharness.tracking.mlflow import dashboard, experiments
from alharness.tracking.mlflow import tracker as trackers
from alharness.tracking.mlflow.patience import Pulse, Watched
from alharness.tracking.mlflow.tracker import MlflowTracker
from alharness.tracking.mlflow.writer import Writer
from alharness.tracking.plugin import MlflowParams

CELL = Cell(label="mine", sampler="first", params={"start": 3}, distribution="toy==1.0", seed=2, key="k" * 16)


def cycle(number, **more):
    given = {
        "metrics": {"f1": 0.5 + 0.1 * number, "corr": math.nan if number else 0.25},
        "diagnostics": {"alpha": 0.2},
        "utilisation": {"share/text": 0.6, "drop/text": -0.01},
        "cost": {"query_seconds": 1.5, "train_seconds": 4.0},
        "chosen": (f"a{number}", f"b{number}"),
        "scores": (0.9, 0.8),
        "at": 1_700_000_000_000 + 1000 * number,
    }
    return CycleRecord(cycle=number, labeled=10 + 2 * number, **(given | more))


@pytest.fixture
def run(tmp_path):
    return Plan(
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
    tracker = MlflowTracker(MlflowParams(uri=uri), warnings.append, required=required)
    tracker.alharness_run_started(run)
    for number, record in enumerate(cycles, 1):
        journaled(run, *cycles[:number])
        tracker.alharness_cycle_finished(run, CELL, record)
    ended = Outcome(cell=cell, status=status, cycles=tuple(cycles), error="it broke" if status == "failed" else "")
    tracker.alharness_run_finished(run, Outcomes(cells=(ended,)))
    return tracker, warnings


def client_of(uri):
    """MLflow's own client of a store."""
    from mlflow import MlflowClient

    return MlflowClient(uri)


@pytest.fixture
def api():
    """The class of such clients, whose calls can be made to fail."""
    from mlflow import MlflowClient

    return MlflowClient


def stored(uri):
    client = client_of(uri)
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
    assert found.data.metrics["al/utilisation/text"] == 0.6
    assert found.data.metrics["al/utilisation_drop/text"] == -0.01
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
    tracker = MlflowTracker(MlflowParams(uri=uri), print, required=True)
    tracker.alharness_run_started(run)
    tracker.alharness_run_finished(run, Outcomes(cells=(Outcome(cell=cell, status="ok", cycles=(only,)),)))
    _, (found,) = stored(uri)
    assert found.info.run_name == "full-data-s2"
    assert found.data.tags["alharness.kind"] == "reference"
    assert found.data.tags["mlflow.runColor"] == "#666666"
    assert "summary/aubc_f1" not in found.data.metrics
    assert found.data.metrics["summary/overall_seconds"] == 4.0


def test_case_24_what_is_not_finite_is_not_logged(run, uri):
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


def test_case_21_tracking_twice_doubles_nothing(run, uri):
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
def calls(monkeypatch, api):
    """How many metrics each call to MLflow wrote."""
    calls = []
    log_batch = api.log_batch

    def counted(client, run_id, metrics=(), **more):
        calls.extend([len(metrics)] if metrics else [])
        return log_batch(client, run_id, metrics=metrics, **more)

    monkeypatch.setattr(api, "log_batch", counted)
    return calls


def test_a_diagnostic_of_any_name_is_written(run, uri):
    names = ["a=b", "50 %", "../../x", "//y//", "größe", "z" * 300, "", "."]
    track(run, uri, [cycle(0, diagnostics=dict.fromkeys(names, 1.0), utilisation={})], status="interrupted")
    found = {name for name in stored(uri)[1][0].data.metrics if name.startswith("al")}
    assert {"al/a_b", "al/50 _", "al/_/_/x", "al/y", "al/größe"} <= found
    assert len(found) == 8  # `al/cycle` is one of them, and two have no name left


def test_more_metrics_than_mlflow_takes_at_once(run, uri, calls):
    many = cycle(0, diagnostics={f"d{number}": 1.0 for number in range(1200)})
    track(run, uri, [many], status="interrupted")
    assert calls[0] == 1000
    assert sum(calls) > 1200
    assert stored(uri)[1][0].data.metrics["al/d1199"] == 1.0


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
    cell = Outcome(cell=CELL, status="ok", cycles=tuple(again))
    for _ in range(2):
        tracker = MlflowTracker(MlflowParams(uri=uri), print, required=True)
        tracker.alharness_run_started(run)
        tracker.alharness_run_finished(run, Outcomes(cells=(cell,)))
        client, (found,) = stored(uri)
    assert found.info.run_id != old.info.run_id
    assert found.info.status == "FINISHED"
    assert found.data.tags["alharness.timing"] == "exclusive"
    history = client.get_metric_history(found.info.run_id, "cost/query_seconds")
    assert [point.value for point in history] == [0.25, 0.25]
    assert found.info.end_time == old.info.end_time


def test_cycles_that_the_store_missed_are_written_at_the_end(run, uri):
    journaled(run, *ALL)
    tracker = MlflowTracker(MlflowParams(uri=uri), print, required=True)
    tracker.alharness_run_started(run)
    tracker.alharness_run_finished(run, Outcomes(cells=(Outcome(cell=CELL, status="ok", cycles=tuple(ALL)),)))
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
    settings = MlflowParams(uri=uri, experiment="mine")
    for synthetic in (False, True):
        MlflowTracker(settings, print, required=True).alharness_run_started(replace(run, synthetic=synthetic))
    names = {found.name for found in client_of(uri).search_experiments()}
    assert {"mine", "mine-standin"} <= names


def tag_of_the_view(uri):
    return client_of(uri).get_experiment_by_name("demo").tags.get(dashboard.TAG)


def test_a_run_leaves_its_dashboard(run, uri):
    tracker, warnings = track(run, uri, ALL)
    cell = Outcome(cell=CELL, status="ok", cycles=tuple(ALL), started=0)
    assert tag_of_the_view(uri) == dashboard.make_tag(run, Outcomes(cells=(cell,)))
    assert tracker.store.view
    assert warnings == []


@pytest.mark.parametrize("required", [False, True])
def test_a_dashboard_that_cannot_be_left_is_one_warning(run, uri, monkeypatch, required, api):
    write = api.set_experiment_tag

    def refuse(client, experiment, key, value):
        if key == dashboard.TAG:
            raise RuntimeError("no http://user:secret@host")
        write(client, experiment, key, value)

    monkeypatch.setattr(api, "set_experiment_tag", refuse)
    tracker, (warning,) = track(run, uri, ALL, required=required)
    assert warning == f"MLflow at {uri}: no http://***@host. The experiment has no ready dashboard"
    assert tracker.store is not None
    assert not tracker.store.view
    assert stored(uri)[1][0].info.status == "FINISHED"


def test_another_major_version_of_mlflow_gets_no_dashboard(run, uri, monkeypatch):
    monkeypatch.setattr("mlflow.__version__", "4.0.0")
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
    """What is around the view, and its filter."""
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


def other_cell(seed):
    return replace(CELL, seed=seed, key=f"o{seed}" * 8)


def soon(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def lengths(uri):
    """Name of a run -> points of a metric; empty before the experiment is there."""
    if client_of(uri).get_experiment_by_name("demo") is None:
        return {}
    client, found = stored(uri)
    return {r.info.run_name: len(client.get_metric_history(r.info.run_id, "test/f1")) for r in found}


@pytest.fixture
def started(run, uri):
    """A tracker that is connected, and its warnings."""

    def start(required=False, run=run, uri=uri):
        warnings = []
        tracker = MlflowTracker(MlflowParams(uri=uri), warnings.append, required=required)
        tracker.alharness_run_started(run)
        return tracker, warnings

    return start


def test_cycles_are_written_together_and_all_at_once_when_the_cell_ends(run, uri, started, calls):
    tracker, _ = started()
    for number in range(3):
        journaled(run, *ALL[: number + 1])
        tracker.alharness_cycle_finished(run, CELL, ALL[number])
    time.sleep(0.2)
    assert calls == []
    tracker.alharness_cell_ended(run, Outcome(cell=CELL, status="ok"))
    soon(lambda: lengths(uri) == {"mine-s2": 3})
    soon(lambda: stored(uri)[1][0].info.status == "FINISHED")  # not only when all other cells are
    assert len(calls) == 2  # the last one is the summary's


def test_a_long_cell_is_written_while_it_is_at_work(run, uri, started, monkeypatch):
    monkeypatch.setattr(trackers, "WRITE_EVERY", 0.2)
    tracker, _ = started()
    journaled(run, *ALL[:2])
    tracker.alharness_cycle_finished(run, CELL, ALL[1])
    soon(lambda: lengths(uri) == {"mine-s2": 2})
    assert stored(uri)[1][0].info.status == "RUNNING"


def test_case_21_a_store_that_comes_back_gets_what_it_missed_and_one_warning_was_given(
    run, uri, started, tmp_path, monkeypatch
):
    monkeypatch.setattr(trackers, "RETRY_AFTER", 0.05)
    monkeypatch.setattr(trackers, "RETRY_AT_MOST", 0.2)
    store = tmp_path / "mlflow.db"
    content = store.read_bytes()
    store.write_text("no database " * 100)
    tracker, warnings = started()
    journaled(run, *ALL)
    tracker.alharness_cell_ended(run, Outcome(cell=CELL, status="ok"))
    soon(lambda: warnings)
    time.sleep(0.5)
    store.write_bytes(content)
    soon(lambda: lengths(uri) == {"mine-s2": 3})
    (warning,) = warnings
    assert warning.startswith(f"MLflow at {uri}: file is not a database. Tracking is offline; results are safe")


def test_a_first_failure_that_passes_is_no_warning(run, uri, monkeypatch, api):
    create, failures = api.create_run, [ConnectionError("reset")]

    def once(client, *given, **named):
        if failures:
            raise failures.pop()
        return create(client, *given, **named)

    monkeypatch.setattr(api, "create_run", once)
    _, warnings = track(run, uri, ALL, required=False)
    assert (warnings, failures, lengths(uri)) == ([], [], {"mine-s2": 3})


def test_a_store_that_stays_away_costs_a_warning_that_names_the_command_to_write_it_later(run, tmp_path):
    (tmp_path / "file").touch()
    uri = f"sqlite:///{tmp_path}/file/no.db"
    tracker, warnings = track(run, uri, ALL, required=False)
    assert tracker.store is None
    assert f"sync {run.folder}" in warnings[-1]
    assert "The results are safe in the journals" in warnings[-1]
    assert uri in warnings[-1]


def test_a_store_that_is_required_is_an_error_before_the_first_cell(run, tmp_path):
    (tmp_path / "file").touch()
    tracker = MlflowTracker(MlflowParams(uri=f"sqlite:///{tmp_path}/file/no.db"), pytest.fail, required=True)
    with pytest.raises(TrackingError, match="MLflow at sqlite:///"):
        tracker.alharness_run_started(run)


def test_a_required_store_that_is_lost_meanwhile_is_an_error_after_the_last_cell(
    run, uri, started, monkeypatch, api
):
    tracker, _ = started(required=True)
    journaled(run, *ALL)
    monkeypatch.setattr(api, "create_run", lambda *_, **__: 1 / 0)
    tracker.alharness_cycle_finished(run, CELL, ALL[-1])
    tracker.alharness_cell_ended(run, Outcome(cell=CELL, status="ok"))
    with pytest.raises(TrackingError, match=f"write them to MLflow later with: .* sync {run.folder}"):
        tracker.alharness_run_finished(run, Outcomes(cells=(Outcome(cell=CELL, status="ok"),)))


@pytest.fixture(params=["silent", "trickling", "failing"])
def bad_server(request, monkeypatch):
    """A server that accepts and never answers, or never to its end, or says that it fails."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    ended = threading.Event()

    def answer(connection):
        with contextlib.suppress(OSError):
            if request.param == "failing":
                connection.sendall(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
                return
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not ended.wait(0.1):
                connection.sendall(b" ")

    def serve():
        while not ended.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                held.append(connection)
                if request.param != "silent":
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

    held = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        thread.join()
    for connection in held:
        connection.close()


def test_case_21_a_server_that_never_answers_delays_no_cell_and_the_end_for_one_deadline(run, started, bad_server):
    began = time.monotonic()
    tracker, warnings = started(uri=bad_server)
    journaled(run, *ALL)
    tracker.alharness_cell_ended(run, Outcome(cell=CELL, status="ok"))
    assert time.monotonic() - began < 1  # before any deadline
    tracker.alharness_run_finished(run, Outcomes(cells=(Outcome(cell=CELL, status="ok"),)))
    assert time.monotonic() - began < 3
    assert tracker.store is None
    assert bad_server in warnings[-1]
    assert f"sync {run.folder}" in warnings[-1]


def test_case_20_a_required_server_that_never_answers_is_an_error_after_one_deadline(run, started, bad_server):
    began = time.monotonic()
    with pytest.raises(TrackingError, match=f"MLflow at {bad_server}"):
        started(required=True, uri=bad_server)
    assert time.monotonic() - began < 3


def test_looking_for_experiments_ends_at_the_deadline(bad_server):
    began = time.monotonic()
    with pytest.raises(TrackingError, match=f"MLflow at {bad_server}"):
        experiments.find(bad_server)
    assert time.monotonic() - began < 3


def test_case_45_a_server_that_is_down_is_given_up_without_its_password(run, started, monkeypatch):
    tracker, warnings = started(uri="http://user:secret@127.0.0.1:9")
    tracker.alharness_run_finished(run, Outcomes(cells=()))
    assert tracker.store is None
    assert "secret" not in "".join(warnings)
    assert "MLflow at http://***@127.0.0.1:9: cannot be reached (Connection refused)." in warnings[-1]


def picture(uri, name):
    """What an experiment holds, without numbers and times of MLflow's own."""
    client = client_of(uri)
    found = client.search_runs([client.get_experiment_by_name(name).experiment_id])
    return [
        (
            run.info.run_name,
            run.info.status,
            (run.info.start_time, run.info.end_time),
            run.data.params,
            {k: v for k, v in run.data.tags.items() if k not in ("mlflow.user", "mlflow.source.name")},
            run.data.metrics,
            [len(client.get_metric_history(run.info.run_id, name)) for name in ("test/f1", "al/cycle")],
            sorted(file.path for file in client.list_artifacts(run.info.run_id)),
        )
        for run in found
    ]


class Dying:
    """A client whose calls work a number of times; the last one is done and not answered, the next ones fail."""

    def __init__(self, client, calls):
        self.client, self.calls = client, calls

    def __getattr__(self, name):
        call = getattr(self.client, name)

        def made(*given, **named):
            if self.calls == 0:
                raise ConnectionError("gone")
            result = call(*given, **named)
            self.calls -= 1
            if self.calls == 0:
                raise ConnectionError("reset")
            return result

        return made


@pytest.mark.parametrize("status", ["ok", pytest.param("failed", marks=pytest.mark.slow)])
def test_case_21_whatever_call_is_lost_the_next_write_completes_everything(run, uri, status, monkeypatch):
    monkeypatch.setattr("alharness.tracking.mlflow.writer.AT_ONCE", 5)
    journaled(run, *ALL)
    record = Outcomes(
        cells=(Outcome(cell=CELL, status=status, cycles=tuple(ALL), error="no" if status == "failed" else ""),)
    )

    def write(name, calls=None):
        writer = Writer(run, MlflowParams(uri=uri, experiment=name), Pulse(), pytest.fail)
        if calls:
            writer._client = Dying(writer._client, calls)
        writer.finish(record)

    write("whole")
    whole = picture(uri, "whole")
    calls = 0
    while True:
        calls += 1
        try:
            write(f"after {calls}", calls)
        except ConnectionError:
            write(f"after {calls}")
            assert picture(uri, f"after {calls}") == whole, calls
        else:
            break
    assert calls > 8


def test_params_that_an_earlier_version_lost_are_added(run, uri):
    track(run, uri, ALL)
    _, (found,) = stored(uri)
    path = uri.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("delete from params")
        database.execute("delete from tags where key in ('alharness.plugin', 'alharness.timing')")
        database.execute("delete from metrics where key = 'test/f1'")
        database.execute("delete from latest_metrics where key = 'test/f1'")
        database.commit()
    track(run, uri, ALL)
    _, (again,) = stored(uri)
    assert again.data.params == found.data.params
    assert again.data.tags == found.data.tags
    assert lengths(uri) == {"mine-s2": 3}


def test_of_two_runs_for_one_cell_the_lesser_one_goes(run, uri):
    track(run, uri, ALL)
    client, (found,) = stored(uri)
    tags = {k: v for k, v in found.data.tags.items() if k.startswith("alharness.")}
    client.create_run(found.info.experiment_id, tags=tags)
    track(run, uri, ALL)
    assert [again.info.run_id for again in stored(uri)[1]] == [found.info.run_id]


def test_a_cell_that_another_process_began_to_write_meanwhile_gets_no_second_run(run, uri):
    journaled(run, *ALL)
    record = Outcomes(cells=(Outcome(cell=CELL, status="ok", cycles=tuple(ALL)),))
    writers = [Writer(run, MlflowParams(uri=uri), Pulse(), pytest.fail) for _ in range(2)]
    for writer in writers:
        writer.finish(record)
    assert lengths(uri) == {"mine-s2": 3}


def test_one_cell_that_cannot_be_written_stops_no_other(run, uri, monkeypatch, api):
    bad, good = other_cell(3), other_cell(4)
    run = replace(run, cells=(bad, good))
    for cell in run.cells:
        Journal(run.folder / "cells" / cell.folder, {"x": 1}, now=1_699_999_999_000).append(ALL[0])
    create = api.create_run

    def refuse(client, *given, run_name, **named):
        if run_name == bad.name:
            raise RuntimeError("not this one")
        return create(client, *given, run_name=run_name, **named)

    monkeypatch.setattr(api, "create_run", refuse)
    writer = Writer(run, MlflowParams(uri=uri), Pulse(), pytest.fail)
    with pytest.raises(RuntimeError, match="not this one"):
        writer.finish(Outcomes(cells=tuple(Outcome(cell=cell, status="interrupted") for cell in run.cells)))
    assert lengths(uri) == {good.name: 1}


def test_a_cell_that_failed_and_succeeds_later_says_no_more_why(run, uri):
    track(run, uri, ALL[:2], status="failed")
    track(run, uri, ALL)
    _, (found,) = stored(uri)
    assert found.data.tags["alharness.status"] == "ok"
    assert "alharness.error" not in found.data.tags


def test_a_cell_that_fails_again_says_the_last_reason(run, uri):
    journaled(run, *ALL[:1])
    for error in ("one", "two"):
        writer = Writer(run, MlflowParams(uri=uri), Pulse(), pytest.fail)
        writer.finish(Outcomes(cells=(Outcome(cell=CELL, status="failed", error=error),)))
    assert stored(uri)[1][0].data.tags["alharness.error"] == "two"


def test_a_damaged_journal_stops_no_tracking(run, uri):
    journaled(run, *ALL)
    path = run.folder / "cells" / CELL.folder / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"labeled", b"labelled", 1))
    tracker, warnings = track(run, uri, [], status="failed")
    assert (warnings, stored(uri)[1]) == ([], [])
    assert tracker.store is not None


def test_a_watched_call_that_waits_counts_from_its_beginning(monkeypatch):
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr("alharness.tracking.mlflow.patience.time", clock)
    pulse = Pulse()
    pulse.patience = 10

    def slow():
        clock.now += 8
        pulse.begin()
        assert not pulse.is_silent
        clock.now += 3
        assert pulse.is_silent

    Watched(SimpleNamespace(call=slow), pulse).call()
    assert not pulse.is_silent
