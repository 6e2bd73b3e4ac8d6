"""What `alharness run` has loaded at the first query; whole runs are in tests/integration."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from alharness.cli import main
from alharness.cli.closing import _harmless
from alharness.cli.console import PageConsole
from alharness.runs import run as runs

LATER = {"mlflow", "matplotlib", "sklearn", "scipy"}

STOP_AFTER_THE_FIRST_CYCLE = """
import sys
import alharness.cli
from alharness.runs.coordinator import Coordinator

def stop(*_):
    print("\\n", *sys.modules, flush=True)
    sys.exit(0)

Coordinator._write = stop
alharness.cli.main(["run", "own.yaml"])
"""


def test_a_run_in_the_background_of_a_script_says_how_to_stop_it(monkeypatch, capsys, tmp_path):
    (tmp_path / "x.yaml").write_text(
        "name: x\ndataset: digits\nactive_learning: {initial_pool: 9, budget: 9, cycles: 1}\nsamplers: [random]\n"
    )
    monkeypatch.setattr(runs, "run", lambda *_: sys.exit(0))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(SystemExit):
            main(["run", str(tmp_path / "x.yaml"), "--no-tracking"])
    finally:
        signal.signal(signal.SIGINT, before)
    assert f"Ctrl-C is ignored here; to stop it: kill {os.getpid()}\n" in capsys.readouterr().out


@pytest.mark.parametrize("stack", ["0", "many", "-1"])
def test_a_stack_that_is_no_number_is_refused_with_what_to_write(capsys, stack):
    with pytest.raises(SystemExit) as ended:
        main(["run", "digits_quick", "--stack", stack])
    assert ended.value.code == 2
    assert f"expected a whole number from 1 on, or auto, but it is '{stack}'" in capsys.readouterr().err


def test_nothing_is_imported_by_the_first_query_that_is_only_needed_later(toy_site, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    np.save(folder / "audio.npy", np.arange(120.0).reshape(30, 4))
    rows = [f"clip{i},{split},{i % 2}" for i, split in enumerate(["train"] * 18 + ["valid"] * 6 + ["test"] * 6)]
    (folder / "labels.csv").write_text("\n".join(["id,split,label", *rows]) + "\n")
    (tmp_path / "own.yaml").write_text(
        "name: own\ndataset: {name: arrays, params: {path: mine, task: classification}}\n"
        "active_learning: {initial_pool: 5, budget: 5, cycles: 1}\nsamplers: [imports]\n"
    )
    path = os.pathsep.join(filter(None, [str(toy_site), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", STOP_AFTER_THE_FIRST_CYCLE],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    coordinating = set(done.stdout.splitlines()[-1].split())
    (output,) = tmp_path.glob("runs/*/cells/*/output.txt")
    working = set(output.read_text().split())
    assert not (LATER | {"torch"}) & coordinating
    assert "torch" in working
    assert not LATER & working


def test_a_picture_that_cannot_be_drawn_is_a_warning(capsys):
    with _harmless(PageConsole(width=200), "runs/x/curves.png is not drawn"):
        raise OSError(28, "No space left on device")
    assert "warning: runs/x/curves.png is not drawn: OSError: [Errno 28] No space left on device" in (
        capsys.readouterr().out
    )
