"""A tracking server with PostgreSQL behind it: both are started here."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from alharness.tracking.mlflow.dashboard import TAG
from alharness.tracking.mlflow.server import serving

PATIENCE = 120
"""Seconds for anything at all: a busy machine is slow."""


def program(name):
    """Debian keeps the server's programs off the path."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(installed[-1]) if installed else None)


@pytest.fixture
def postgres(need):
    """The URI of an empty database."""
    need(program("initdb") and program("postgres"), "PostgreSQL is not installed")
    need(find_spec("psycopg2"), "psycopg2 is not installed")
    import psycopg2

    who = {}
    if os.geteuid() == 0:  # it refuses to run as root
        user = next((user for user in pwd.getpwall() if user.pw_name == "postgres"), None)
        need(user, "PostgreSQL has no user to run as")
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    with tempfile.TemporaryDirectory(prefix="alharness-pg-") as folder:
        if who:
            os.chown(folder, who["user"], who["group"])
        common = {
            "cwd": folder,
            "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"},
            "stdin": subprocess.DEVNULL,
            **who,
        }
        subprocess.run(
            [program("initdb"), "-D", "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            timeout=PATIENCE,
            **common,
        )
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
        server = subprocess.Popen(
            [program("postgres"), "-D", "data", *(f"--{name}={value}" for name, value in options.items())],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **common,
        )
        try:
            uri = f"postgresql+psycopg2://tester@127.0.0.1:{port}/postgres"
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    psycopg2.connect(host="127.0.0.1", port=port, user="tester", dbname="postgres").close()
                    break
                except psycopg2.OperationalError:
                    assert server.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            yield uri
        finally:
            server.send_signal(signal.SIGINT)  # without waiting for clients
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.send_signal(signal.SIGQUIT)
                server.wait(timeout=30)


@pytest.mark.long
def test_a_run_is_tracked_by_a_server_with_postgresql(postgres, command, write_spec, tmp_path, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.chdir(tmp_path)  # the folder of the server's files
    with serving(postgres) as server:
        server.wait_until_ready(lambda: False, patience=PATIENCE)
        variables = {"MLFLOW_TRACKING_URI": server.address}
        run = command("run", write_spec(), "--require-tracking", variables=variables)
        out, err = run.communicate(timeout=PATIENCE)
        assert (run.returncode, err) == (0, "")
        client = MlflowClient(server.address)
        experiment = client.get_experiment_by_name("trial")
        link = (
            f"{server.address}/#/experiments/{experiment.experiment_id}/runs"
            "?workflowType=machine_learning&compareRunsMode=CHART&viewStateShareKey=alharness-curves"
        )
        assert f"MLflow:   {link}\n" in out
        assert "state" in experiment.tags[TAG]
        found = client.search_runs([experiment.experiment_id])
        assert sorted((run.info.run_name, run.info.status) for run in found) == [
            ("first-s0", "FINISHED"),
            ("first-s1", "FINISHED"),
            ("narrow-s0", "FINISHED"),
            ("narrow-s1", "FINISHED"),
        ]
        history = client.get_metric_history(found[0].info.run_id, "test/f1")
        assert [point.step for point in history] == [10, 15, 20]
        files = {file.path for file in client.list_artifacts(found[0].info.run_id)}
        assert files == {"env.txt", "journal.jsonl", "selections.csv", "spec.yaml"}
        ui = command("ui", variables=variables)
        out, err = ui.communicate(timeout=PATIENCE)
        assert (ui.returncode, err) == (0, "")
        assert f"trial: {link}\n" in out
    assert not (tmp_path / "mlflow.db").exists()
