import json
import os
import subprocess
import sys

import pytest

from alharness.errors import SpecError
from alharness.runs.directory import RunDirectory, write

HOLD = """
import sys, time
from pathlib import Path
from alharness.runs.directory import RunDirectory
with RunDirectory(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_and_told_who_holds_it(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(SpecError, match=f"in use by process {other.pid} on "), RunDirectory(tmp_path).locked():
            pass
    finally:
        other.kill()
        other.wait()
    with RunDirectory(tmp_path).locked():  # the killed process left nothing to unlock
        assert json.loads((tmp_path / "holder.json").read_text())["pid"] == os.getpid()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SpecError, match="file/run"), RunDirectory(tmp_path / "file" / "run").locked():
        pass


def test_writing_replaces_the_whole_file_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "spec.yaml"
    write(path, "old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
