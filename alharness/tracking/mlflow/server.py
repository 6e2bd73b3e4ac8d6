"""MLflow's own server for a store that is here: on this machine only, until the user ends it."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import psutil

from alharness.errors import TrackingError
from alharness.text.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "127.0.0.1"
PORTS = range(5000, 5010)
"""Tried in turn if no port was given: MLflow's own first, so that bookmarks keep working."""
PATIENCE = 180.0
"""Seconds until a server must answer; it takes eight on two idle cores."""
POLL = 0.1
"""Seconds between two looks at it."""
GRACE = 10.0
"""Seconds for its end, before it is killed."""
LAST_WORDS = 2000
"""Characters of its output that are shown if it fails."""

QUIET = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # twelve more processes, and 1.4 GB
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
UNWANTED = (
    "MLFLOW_ARTIFACTS_ONLY",
    "MLFLOW_GUNICORN_OPTS",
    "MLFLOW_READ_REPLICA_BACKEND_STORE_URI",
    "MLFLOW_SERVER_ALLOWED_HOSTS",
    "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE",
    "MLFLOW_STATIC_PREFIX",
    "MLFLOW_UVICORN_OPTS",
)
"""Settings of a public server that may be in the environment: they would open this one, or move its pages."""


class Server:
    """A running `mlflow server`.

    Attributes:
        address: `http://127.0.0.1:<port>`.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.address = f"http://{HOST}:{port}"
        self._process = process
        self._port = port
        self._log = log

    def wait_until_ready(self, asked_to_stop: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Return when it answers, or when asked to end.

        Args:
            asked_to_stop: whether the user has asked for the end.
            patience: seconds.

        Raises:
            TrackingError: it died, or does not answer in time; with its last words.
        """
        # And it is ours that answers, not another's that was quicker to take the port.
        self.wait(asked_to_stop, lambda: _answers(f"{self.address}/health") and self._listens(), patience)

    def wait(
        self,
        asked_to_stop: Callable[[], bool],
        until: Callable[[], bool] = lambda: False,
        patience: float = math.inf,
    ) -> None:
        """Return when asked to end, or when something is so.

        Raises:
            TrackingError: it died before, or patience is at its end.
        """
        deadline = time.monotonic() + patience
        while not (asked_to_stop() or until()):
            self._require_alive()
            if time.monotonic() > deadline:
                raise TrackingError(f"MLflow's server does not answer after {patience:.0f} s{self._last_words()}")
            time.sleep(POLL)

    def end(self) -> None:
        """End all its processes, by force if they do not end."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + GRACE
            alive = _signal_group(self._process.pid, number)
            while alive and time.monotonic() < deadline:
                time.sleep(POLL)
                self._process.poll()  # poll() reaps the child: otherwise its group would still exist after its end
                alive = _signal_group(self._process.pid, 0)
            if not alive:
                return

    def _require_alive(self) -> None:
        if (code := self._process.poll()) is not None:
            raise TrackingError(f"MLflow's server ended with code {code}{self._last_words()}")

    def _listens(self) -> bool:
        with suppress(psutil.Error):
            family = [psutil.Process(self._process.pid)]
            family += family[0].children(recursive=True)
            return any(
                found.status == psutil.CONN_LISTEN and found.laddr.port == self._port
                for process in family
                for found in process.net_connections("tcp")
            )
        return False

    def _last_words(self) -> str:
        words = redact(self._log.read_text(encoding="utf-8", errors="replace").strip())
        return f"; it said:\n{words[-LAST_WORDS:]}" if words else " and said nothing"


@contextmanager
def serving(uri: str, port: int | None = None) -> Iterator[Server]:
    """Start a server for a store, in a process group of its own, and end it when the block is left.

    Args:
        uri: the store; kept out of the list of processes, in which all users could read its credentials.
        port: the only one to use; None for one that is free.

    Raises:
        TrackingError: the port is in use.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in UNWANTED and not name.startswith("UVICORN_")
    }
    environment |= {**QUIET, "MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_REGISTRY_STORE_URI": uri}
    with reserved(port) as chosen, tempfile.TemporaryDirectory(prefix="alharness-ui-") as folder:
        command = ["mlflow", "server", "--host", HOST, "--port", str(chosen), "--workers", "1"]
        log = Path(folder, "server.log")
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                [sys.executable, "-m", *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        server = Server(process, chosen, log)
        try:
            yield server
        finally:
            server.end()


@contextmanager
def reserved(asked: int | None = None) -> Iterator[int]:
    """A free port of the loopback interface, which no other process of ours takes meanwhile.

    Raises:
        TrackingError: the one that is asked for is in use, or forbidden.
    """
    reason = "in use"
    for port in (*PORTS, 0) if asked is None else (asked,):
        # Seconds pass between this check of the port and its use.
        claim = filelock.FileLock(Path(tempfile.gettempdir(), f"alharness-{os.getuid()}-port-{port}.lock"))
        try:
            if port:
                claim.acquire(timeout=0)
            found = _probe(port)
        except filelock.Timeout:
            continue
        except OSError as error:
            claim.release()
            reason = str(error.strerror)
            continue
        try:
            yield found
        finally:
            claim.release()
        return
    raise TrackingError(f"port {asked} cannot be used ({reason}): choose another --port, or leave it out")


def _probe(port: int) -> int:
    """The port; for 0 any that is free. Raises OSError if it cannot be used."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server that has just ended is no obstacle
        probe.bind((HOST, port))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy would look on its own machine
    try:
        with opener.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, HTTPException):
        return False


def _signal_group(group: int, number: int) -> bool:
    """Whether there was anybody to get it."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True
