"""The command with a stand-in for MLflow's server; the real one is in tests/integration."""

import os
import signal
from contextlib import contextmanager

import pytest

from alharness import cli
from alharness.errors import TrackingError
from alharness.tracking.mlflow.dashboard import TAG
from alharness.tracking.mlflow.experiments import CHANGED, Tracked

ADDRESS = "http://127.0.0.1:5123"
PAGE = "/runs?workflowType=machine_learning&compareRunsMode=CHART"
VIEW = f"{PAGE}&viewStateShareKey=alharness-curves"


def run(*arguments):
    """Exit code of a command line."""
    with pytest.raises(SystemExit) as caught:
        cli.main(["ui", *arguments])
    return caught.value.code


class StandIn:
    """A server that runs until it is asked to end."""

    address = ADDRESS

    def __init__(self):
        self.started, self.ended, self.ready = [], 0, lambda told: None

    def wait_until_ready(self, told):
        self.ready(told)

    def wait(self, told):
        assert not told()
        os.kill(os.getpid(), self.signal)
        assert told()

    signal = signal.SIGINT


@pytest.fixture
def server(monkeypatch):
    stand_in = StandIn()

    @contextmanager
    def serving(uri, port):
        stand_in.started.append((uri, port))
        try:
            yield stand_in
        finally:
            stand_in.ended += 1

    monkeypatch.setattr("alharness.tracking.mlflow.server.serving", serving)
    # A test run in the background ignores Ctrl-C, and one under nohup a hangup.
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    }
    yield stand_in
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def here(tmp_path, monkeypatch, fresh_store):
    """The current folder with a store of three experiments; the second was changed last."""

    from mlflow import MlflowClient

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "mlflow.db").write_bytes(fresh_store)
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    for name, changed in (("first", 10), ("second", 30), ("third", 20)):
        tags = {"alharness.experiment": f"{name}-1", CHANGED: str(changed)}
        client.create_experiment(name, tags=tags | ({} if name == "third" else {TAG: "{}"}))
    return tmp_path


def test_the_experiment_that_was_changed_last_is_shown_and_the_others_are_listed(here, server, capsys):
    assert run() == 0
    assert capsys.readouterr().out.splitlines() == [
        "Reading the store ...",
        "Starting MLflow's server ...",
        f"second: {ADDRESS}/#/experiments/2{VIEW}",
        "Other experiments:",
        f"  third: {ADDRESS}/#/experiments/3{PAGE}",
        f"  first: {ADDRESS}/#/experiments/1{VIEW}",
        "Ctrl-C ends the server.",
        "The server has ended.",
    ]
    assert server.started == [(f"sqlite:///{here}/mlflow.db", None)]
    assert server.ended == 1


def test_an_experiment_by_name_that_has_no_dashboard_yet(here, server, capsys):
    assert run("third") == 0
    out = capsys.readouterr().out
    assert f"third: {ADDRESS}/#/experiments/3{PAGE}\nIt has no ready dashboard" in out


def test_many_others_are_not_all_listed(here, server, capsys, monkeypatch):
    many = [Tracked(name=f"n{n}", id=str(n), changed=0, view=True) for n in range(30)]
    monkeypatch.setattr("alharness.tracking.mlflow.experiments.find", lambda _: many)
    run()
    out = capsys.readouterr().out
    assert "  n20: " in out
    assert "n21" not in out
    assert "  and 9 more, by name: alharness ui NAME" in out


def test_an_unknown_name_is_an_error_and_starts_nothing(here, server, capsys):
    assert run("secnod") == 6
    assert "named 'secnod'; did you mean 'second'?" in capsys.readouterr().err
    assert server.started == []


def test_no_store_is_an_error_that_says_how_to_make_one(tmp_path, monkeypatch, server, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert run() == 6
    err = capsys.readouterr().err
    assert f"error: there is no MLflow store {tmp_path}/mlflow.db: `alharness run SPEC` makes one" in err
    assert server.started == []
    assert list(tmp_path.iterdir()) == []


def test_the_store_is_the_options_then_the_environments(here, server, monkeypatch):
    for name in ("other.db", "third.db"):
        (here / name).write_bytes((here / "mlflow.db").read_bytes())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{here}/other.db")
    run("--port", "5999")
    run("--store", "sqlite:///third.db")
    assert server.started == [(f"sqlite:///{here}/other.db", 5999), (f"sqlite:///{here}/third.db", None)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_in_order_and_mean_what_they_did_before(here, server, number):
    before = signal.getsignal(number)
    server.signal = number
    assert run() == 0
    assert server.ended == 1
    assert signal.getsignal(number) is before


def test_a_hangup_that_is_ignored_stays_ignored(here, server):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        server.ready = lambda told: [os.kill(os.getpid(), signal.SIGHUP), None if not told() else pytest.fail("!")]
        assert run() == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_before_it_is_ready_ends_it_without_a_link(here, server, capsys):
    server.ready = lambda _: os.kill(os.getpid(), signal.SIGTERM)
    assert run() == 0
    assert ADDRESS not in capsys.readouterr().out
    assert server.ended == 1


def test_a_server_that_dies_is_an_error(here, server, capsys):
    def die(_):
        raise TrackingError("MLflow's server ended with code 1")

    server.ready = die
    assert run() == 6
    assert "error: MLflow's server ended with code 1" in capsys.readouterr().err
    assert server.ended == 1


@pytest.mark.parametrize(("opens", "said"), [(True, False), (False, True)])
def test_open_opens_the_link(here, server, capsys, monkeypatch, opens, said):
    links = []
    monkeypatch.setattr("webbrowser.open", lambda link: links.append(link) or opens)
    assert run("--open") == 0
    assert links == [f"{ADDRESS}/#/experiments/2{VIEW}"]
    assert ("No browser could be opened here" in capsys.readouterr().out) == said


def test_a_browser_is_opened_only_when_asked(here, server, monkeypatch):
    monkeypatch.setattr("webbrowser.open", lambda _: pytest.fail("not asked"))
    assert run() == 0


@pytest.fixture
def remote(monkeypatch):
    """MLFLOW_TRACKING_URI names a server with two experiments."""
    found = [Tracked(name=name, id=str(n), changed=9 - n, view=True) for n, name in enumerate(("new", "old"))]
    monkeypatch.setattr("alharness.tracking.mlflow.experiments.find", lambda _: found)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://user:secret@host/mlflow")


def test_for_a_server_nothing_is_started(remote, server, capsys):
    assert run() == 0
    out = capsys.readouterr().out
    assert f"new: https://host/mlflow/#/experiments/0{VIEW}" in out
    assert f"old: https://host/mlflow/#/experiments/1{VIEW}" in out
    assert "secret" not in out
    assert server.started == []


def test_a_port_for_a_server_that_runs_already_is_misuse(remote, server, capsys):
    assert run("--port", "5000") == 2
    assert "this store has one already" in capsys.readouterr().err


def test_a_server_that_is_down_is_an_error_without_credentials(server, capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert run("--store", "http://user:secret@127.0.0.1:9") == 6
    err = capsys.readouterr().err
    assert "error: MLflow at http://***@127.0.0.1:9" in err
    assert "secret" not in err
