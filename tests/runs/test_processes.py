import os
import signal
import subprocess
import sys
import threading

import pytest

from alharness.runs.processes import postponed

PRINT = """
import sys
from alharness.runs.processes import print_to
print_to(sys.argv[1])
print("said", flush=True)
"""


def said(path):
    """Print to a file in a process of its own; what it printed elsewhere."""
    return subprocess.run(
        [sys.executable, "-c", PRINT, str(path)], capture_output=True, text=True, check=True
    ).stdout


def test_a_folder_for_temporary_files_with_too_long_a_name_is_refused(tmp_path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    start = [sys.executable, "-c", "from alharness.runs.processes import start_server; start_server()"]
    run = subprocess.run(
        start, env={**os.environ, "TMPDIR": str(folder)}, capture_output=True, text=True, check=False
    )
    assert run.stderr.splitlines()[-1].startswith(f"alharness.errors.SpecError: {folder}: sockets of processes")
    assert "set TMPDIR to another folder with a short name" in run.stderr


def test_what_is_printed_goes_to_the_end_of_a_file(tmp_path):
    (tmp_path / "output.txt").write_text("before\n")
    assert said(tmp_path / "output.txt") == ""
    assert (tmp_path / "output.txt").read_text() == "before\nsaid\n"


def test_nothing_is_printed_through_a_link(tmp_path):
    (tmp_path / "target").write_text("precious")
    (tmp_path / "output.txt").symlink_to(tmp_path / "target")
    assert said(tmp_path / "output.txt") == ""
    assert (tmp_path / "target").read_text() == "precious"


def test_what_cannot_be_kept_is_lost_and_costs_nothing(tmp_path):
    assert said(tmp_path / "missing" / "output.txt") == ""


@pytest.mark.parametrize("started", ["here", "in another thread"])
def test_a_signal_waits_for_what_must_not_be_interrupted(started):
    done, ended = [], threading.Event()

    def interrupt(*_):
        done.append("interrupted")
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    other = threading.Thread(target=ended.wait)  # it lets the signal through, whatever our mask says
    try:
        if started != "here":
            other.start()
        with pytest.raises(KeyboardInterrupt), postponed(signal.SIGINT):
            os.kill(os.getpid(), signal.SIGINT)
            done.append("written")
        assert signal.getsignal(signal.SIGINT) is interrupt
    finally:
        ended.set()
        signal.signal(signal.SIGINT, before)
    assert done == ["written", "interrupted"]
