"""A small program replaces MLflow's server; the real one is in tests/integration."""

import http.server
import json
import os
import signal
import socket
import threading
import time

import psutil
import pytest

from alharness.errors import TrackingError
from alharness.tracking.mlflow import server as servers
from alharness.tracking.mlflow.server import HOST, UNWANTED, reserved, serving

FAKE = """
import http.server, json, os, pathlib, signal, subprocess, sys, time

mode, note = os.environ["FAKE_MODE"], pathlib.Path(os.environ["FAKE_NOTE"])
if mode == "dies":
    sys.exit("no such store: http://user:secret@host/db")
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal, time\\n"
    + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n" * (mode == "stubborn") + "time.sleep(120)"])
note.with_suffix(".part").write_text(json.dumps({"arguments": sys.argv[1:], "environment": dict(os.environ),
    "pids": [os.getpid(), child.pid]}))
note.with_suffix(".part").rename(note)


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" and mode != "unwell" else 503)
        self.end_headers()


if mode == "silent":
    time.sleep(120)
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer((sys.argv[sys.argv.index("--host") + 1], port), Health).serve_forever()
"""


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Choose how the program behaves; gives what it writes down about itself, once it is there."""
    package = tmp_path / "site" / "mlflow"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(FAKE)
    note = tmp_path / "note.json"
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.setenv("FAKE_NOTE", str(note))

    def choose(mode="well"):
        monkeypatch.setenv("FAKE_MODE", mode)

        def read():
            deadline = time.monotonic() + 30
            while not note.exists():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            return json.loads(note.read_text())

        return read

    return choose


def no():
    return False


def running(pids):
    return [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def taken():
    """A port where another server answers that it is well."""

    class Well(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    other = http.server.HTTPServer((HOST, 0), Well)
    thread = threading.Thread(target=other.serve_forever)
    thread.start()
    yield other.server_port
    other.shutdown()
    thread.join()
    other.server_close()


def test_it_is_ready_when_it_answers_and_nothing_of_it_is_left(fake):
    note = fake()
    with serving("sqlite:///x.db") as server:
        server.wait_until_ready(no, patience=30)
        with socket.create_connection((HOST, int(server.address.rpartition(":")[2])), timeout=5):
            pass
        pids = note()["pids"]
        assert running(pids) == pids
    assert running(pids) == []


def test_case_46_it_listens_on_this_machine_with_one_worker_and_the_store_is_no_ones_business(fake, monkeypatch):
    for name in (*UNWANTED, "UVICORN_HOST"):
        monkeypatch.setenv(name, "--host 0.0.0.0")
    monkeypatch.setenv("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "true")
    note = fake()
    with reserved() as port:
        pass
    with serving("postgresql://user:secret@host/db", port):
        seen = note()
    assert seen["arguments"] == ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    environment = seen["environment"]
    assert environment["MLFLOW_BACKEND_STORE_URI"] == "postgresql://user:secret@host/db"
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert not {*UNWANTED, "UVICORN_HOST"} & set(environment)


def test_it_leads_a_process_group_of_its_own(fake):
    note = fake("silent")
    with serving("sqlite:///x.db"):
        leader, child = note()["pids"]
        assert os.getpgid(child) == os.getpgid(leader) == leader


def test_one_that_does_not_go_is_killed(fake, monkeypatch):
    monkeypatch.setattr(servers, "GRACE", 0.5)
    note = fake("stubborn")
    with serving("sqlite:///x.db"):
        pids = note()["pids"]
    assert running(pids) == []


def test_a_child_that_outlives_it_goes_too(fake):
    note = fake("silent")
    with serving("sqlite:///x.db"):
        leader, child = note()["pids"]
        os.kill(leader, signal.SIGKILL)
    assert running([child]) == []


@pytest.mark.parametrize("wait", [lambda server: server.wait_until_ready(no), lambda server: server.wait(no)])
def test_one_that_dies_is_told_at_once_with_its_last_words(fake, wait):
    fake("dies")
    with pytest.raises(TrackingError) as caught, serving("sqlite:///x.db") as server:
        wait(server)
    assert str(caught.value) == ("MLflow's server ended with code 1; it said:\nno such store: http://***@host/db")


@pytest.mark.parametrize("mode", ["silent", "unwell"])
def test_one_that_does_not_answer_is_given_up(fake, mode):
    note = fake(mode)
    with pytest.raises(TrackingError, match="MLflow's server does not answer after 1 s"):  # noqa: SIM117
        with serving("sqlite:///x.db") as server:
            pids = note()["pids"]
            server.wait_until_ready(no, patience=1)
    assert running(pids) == []


def test_somebody_elses_server_at_its_port_is_not_taken_for_it(fake, taken, monkeypatch):
    monkeypatch.setattr(servers, "_probe", lambda _: taken)  # it was free a moment ago
    note = fake("silent")
    with serving("sqlite:///x.db") as server:
        note()
        with pytest.raises(TrackingError, match="does not answer"):
            server.wait_until_ready(no, patience=1)


@pytest.mark.parametrize("wait", ["wait_until_ready", "wait"])
def test_waiting_ends_when_told(fake, wait):
    fake("silent")
    answers = iter([False, False, True])
    with serving("sqlite:///x.db") as server:
        getattr(server, wait)(lambda: next(answers))
    assert next(answers, None) is None


def test_a_proxy_is_not_asked(fake, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    fake()
    with serving("sqlite:///x.db") as server:
        server.wait_until_ready(no, patience=30)


def test_a_port_in_use_is_passed_over_unless_it_was_asked_for(taken, monkeypatch):
    monkeypatch.setattr(servers, "PORTS", (taken,))
    with reserved() as port:
        assert port != taken
    with (
        pytest.raises(TrackingError, match=rf"port {taken} cannot be used \(Address already in use\): choose"),
        reserved(taken),
    ):
        pass


@pytest.fixture
def free():
    """A free port."""
    with socket.create_server((HOST, 0)) as listener:
        return listener.getsockname()[1]


def test_a_port_that_another_server_is_about_to_use_is_passed_over(free, monkeypatch):
    monkeypatch.setattr(servers, "PORTS", (free,))
    with reserved() as first:
        assert first == free
        with reserved() as second:
            assert second != free
        with pytest.raises(TrackingError, match=rf"port {free} cannot be used \(in use\)"), reserved(free):
            pass
    with reserved() as again:
        assert again == free


def test_a_port_that_was_just_in_use_is_free():
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection((HOST, port)) as client:
            listener.accept()[0].close()  # the server closes first, and its end lingers
            assert client.recv(1) == b""
    with reserved(port) as found:
        assert found == port
