import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from alharness import cli, registry
from alharness import spec as specs
from alharness.runs.run import Options
from alharness.runs.run import run as run_cells

# With batches of one size, a single step is recorded, which takes longer than all of them.
SPEC = """\
name: trial
dataset: {dataset}
training: {{epochs: 3, batch_size: 5, device: cpu}}
active_learning: {{initial_pool: 10, budget: 5, cycles: {cycles}}}
seeds: {seeds}
samplers: {samplers}
"""


@pytest.fixture(scope="session")
def spec_text():
    def text(samplers="[first, narrow]", seeds="2", cycles=2, dataset="toy_data"):
        return SPEC.format(samplers=samplers, seeds=seeds, cycles=cycles, dataset=dataset)

    return text


@pytest.fixture
def write_spec(spec_text, tmp_path):
    def write(**values):
        path = tmp_path / "trial.yaml"
        path.write_text(spec_text(**values))
        return path

    return write


@pytest.fixture(scope="module")
def run_spec(toy_site):
    """Run a spec in this process, without MLflow; gives run, record and warnings."""

    def run(path, workdir, observers=(), **options):
        installed = registry.load()
        for observer in observers:
            installed.register(observer)
        warnings = []
        chosen = Options(workdir=workdir, **options)
        return *run_cells(specs.load(path, installed), installed, chosen, warnings.append), warnings

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(toy_site)
        yield run


@pytest.fixture
def main(toy_site, tmp_path, monkeypatch, capsys):
    """The command line in this process, in a folder of its own; gives exit code, output and errors.

    Pictures of reports stay empty: to draw them, which tests of the report do, takes longer than such runs.
    """
    monkeypatch.setattr("alharness.report.page.render", lambda picture, notice: (b"<svg/>", b""))
    monkeypatch.syspath_prepend(toy_site)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def start(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main([*map(str, arguments)])
        return ended.value.code, *capsys.readouterr()

    return start


NO_FLOCK = """
#include <errno.h>

int flock(int descriptor, int operation) {
    errno = ENOLCK;
    return -1;
}
"""


@pytest.fixture(scope="session")
def no_flock(tmp_path_factory):
    """Variables with which a command finds a file system that cannot lock files, whatever asks for a lock."""
    compiler = shutil.which("cc") or shutil.which("gcc") or pytest.skip("there is no compiler for the preload")
    folder = tmp_path_factory.mktemp("no_flock")
    (folder / "no_flock.c").write_text(NO_FLOCK)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", "no_flock.so", "no_flock.c"], cwd=folder, check=True)
    return {"LD_PRELOAD": str(folder / "no_flock.so")}


@pytest.fixture
def command(toy_site, tmp_path):
    """The command line as a user starts it, in a folder of its own."""

    def start(*arguments, isolated=False, variables=None, **more):
        flags = ["-P"] if isolated else []  # as the installed script: without the current folder
        environment = {**os.environ, "PYTHONPATH": str(toy_site), "MLFLOW_DISABLE_TELEMETRY": "true"}
        environment.pop("MLFLOW_TRACKING_URI", None)
        environment |= variables or {}
        return subprocess.Popen(
            [sys.executable, *flags, "-m", "alharness", *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    # A test run in the background ignores Ctrl-C, and what it starts would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield start
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def wait_for_lines():
    """Wait until the journals hold this many finished cycles."""

    def wait(workdir, number, process):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            books = workdir.glob("*/cells/*/journal.jsonl")
            if sum(len(book.read_bytes().splitlines()) - 1 for book in books) >= number:
                return
            time.sleep(0.02)
        process.kill()
        pytest.fail(f"never saw {number} cycles: {process.communicate()}")

    return wait


@pytest.fixture(scope="session")
def journals():
    """Folder of a cell without its hash -> journal lines without what was measured."""

    def read(workdir, *, torn=False):
        found = {}
        for path in sorted(workdir.glob("*/cells/*/journal.jsonl")):
            whole = path.read_text().rpartition("\n")[0] if torn else path.read_text()
            lines = [json.loads(line) for line in whole.splitlines()]
            for line in lines:
                line.pop("measured")
            found[path.parent.name] = lines
        return found

    return read
