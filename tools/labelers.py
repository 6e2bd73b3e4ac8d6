"""Test labeling tools with a real server: installs Label Studio into .labelers/, starts it, and stops it again.

    python tools/labelers.py [ARGUMENTS OF PYTEST]

Argilla's server needs Elasticsearch and Redis. If you have one, the tests use it, too: put its address into
ALHARNESS_TEST_ARGILLA, and the key of an owner into ARGILLA_API_KEY. They add datasets to it.
"""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import venv
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from versions import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = ROOT / ".labelers"
VERSION = "label-studio==1.23.2"
PATIENCE = 300
"""Seconds until the server answers: at its first start it makes a database."""


def installed() -> Path:
    """The program, with an environment of its own: it needs 150 libraries, some in other versions than ours."""
    program = HERE / "bin" / "label-studio"
    if not program.exists():
        venv.create(HERE, with_pip=True)
        subprocess.run([HERE / "bin" / "python", "-m", "pip", "install", "--quiet", VERSION], check=True)
    return program


@contextmanager
def server(token: str) -> "Iterator[str]":
    """Its address, with an empty database and one user."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    user = [
        "--username",
        "me@example.org",
        "--password",
        secrets.token_hex(8),
        "--user-token",
        token,
        "--enable-legacy-api-token",
    ]
    command = [
        str(installed()),
        "start",
        "--no-browser",
        "--internal-host",
        "127.0.0.1",
        "--port",
        str(port),
        *user,
    ]
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        about = {"LABEL_STUDIO_BASE_DATA_DIR": folder, "COLLECT_ANALYTICS": "0", "LATEST_VERSION_CHECK": "0"}
        started = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **about})
        try:
            wait(address, started, Path(log.name))
            yield address
        finally:
            started.terminate()
            started.wait()


def wait(address: str, started: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until it answers."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and started.poll() is None:
        try:
            requests.get(f"{address}/api/version", timeout=5).raise_for_status()
        except requests.RequestException:
            time.sleep(1)
        else:
            return
    sys.exit(f"Label Studio does not start:\n{log.read_text()[-2000:]}")


def main() -> int:
    """Status of the tests."""
    token = secrets.token_hex(20)
    with server(token) as address:
        about = {"ALHARNESS_TEST_LABEL_STUDIO": address, "LABEL_STUDIO_API_KEY": token}
        command = [sys.executable, "-m", "pytest", "tests/labeling/tools/test_servers.py", "-k", "real"]
        return subprocess.run(
            [*command, *sys.argv[1:]], env={**os.environ, **about}, cwd=ROOT, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
