"""The conversion in a process of its own: limits, ends, and half a data set is never taken for a whole one."""

import errno
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from alharness.errors import DataError
from alharness_sentiment.mmsa import isolation
from alharness_sentiment.mmsa.facts import CORPORA
from alharness_sentiment.mmsa.isolation import GIB, convert_apart, default_limit, default_patience
from alharness_sentiment.mmsa.plugin import MMSA, ImportOptions
from alharness_sentiment.modalities import MODALITIES
from alharness_sentiment.stored import writer

from .conftest import make_content

LIMIT = GIB // 2


def test_the_child_makes_what_the_conversion_makes(content, write, empty):
    lines = convert_apart("simsv2", write(content), empty, LIMIT, 60)
    assert lines[0] == "9 train, 4 valid, 5 test; text, audio, vision"
    assert (empty / "manifest.json").exists()


def test_errors_of_the_child_are_told_as_they_are(write, empty, capfd):
    path = write(make_content("mosei"))
    with pytest.raises(DataError, match="those are the features of 'mosei'"):
        convert_apart("simsv2", path, empty, LIMIT, 60)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_case_40_a_file_that_eats_memory_meets_the_limit(tmp_path, empty):
    path = tmp_path / "bomb.pkl"
    path.write_bytes(b"\x80\x04(" + b"]" * (16 * 2**20) + b"l.")  # a list for every byte
    with pytest.raises(DataError) as caught:
        convert_apart("simsv2", path, empty, LIMIT, 60)
    assert str(caught.value) == (
        f"{path}: takes more than 0.5 GiB of memory, which no file of features should; get it again. "
        "If you trust it, allow more with: --set memory=GIB"
    )


def test_the_limit_leaves_room_for_the_file_and_a_gibibyte():
    assert default_limit(3_620_390_813) == 3_620_390_813 + 2**30 < 6e9


def test_a_child_that_was_killed_is_told_apart(content, write, empty, monkeypatch, tmp_path):
    shell = tmp_path / "python"
    shell.write_text("#!/bin/sh\nkill -9 $$\n")
    shell.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(shell))
    with pytest.raises(DataError, match="the conversion was ended by SIGKILL; perhaps the machine has no memory"):
        convert_apart("simsv2", write(content), empty, LIMIT, 60)


@pytest.mark.parametrize("program", ["exec sleep 60", "kill -XCPU $$"])
def test_case_40_a_conversion_that_takes_too_long_is_ended(content, write, empty, monkeypatch, tmp_path, program):
    shell = tmp_path / "python"
    shell.write_text(f"#!/bin/sh\n{program}\n")
    shell.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(shell))
    with pytest.raises(DataError, match=r"was not converted within 1 seconds: .* --set minutes=NUMBER"):
        convert_apart("simsv2", write(content), empty, LIMIT, 1)


def test_the_time_is_that_of_the_option_or_grows_with_the_file(write, empty, monkeypatch):
    given = []
    monkeypatch.setattr(isolation, "convert_apart", lambda *arguments: given.append(arguments[-1]) or [])
    for options in (ImportOptions(minutes=2), ImportOptions()):
        MMSA[0].fetch(write({}), empty, options)
    assert given == [120, 600]
    assert default_patience(3_620_390_813) == 600 + 3452


def test_a_bug_in_the_child_is_a_bug(content, write, empty, monkeypatch, tmp_path):
    shell = tmp_path / "python"
    shell.write_text("#!/bin/sh\necho Traceback >&2; exit 1\n")
    shell.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(shell))
    with pytest.raises(RuntimeError, match="its traceback is above"):
        convert_apart("simsv2", write(content), empty, LIMIT, 60)


def test_a_full_disk_is_told_with_the_file(content, write, empty, monkeypatch):
    def write_npy(path, *_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(writer, "write_npy", write_npy)
    monkeypatch.setattr("resource.setrlimit", lambda *_: None)
    answer = isolation.main("simsv2", write(content), empty, LIMIT, 60, os.getppid())
    assert answer == {"error": f"{empty}/train/text.npy: cannot be written: No space left on device"}
    assert not (empty / "manifest.json").exists()


def test_a_child_without_a_parent_ends(content, write, empty, monkeypatch):
    monkeypatch.setattr("resource.setrlimit", lambda *_: None)
    with pytest.raises(SystemExit):
        isolation.main("simsv2", write(content), empty, LIMIT, 60, os.getppid() + 1)
    assert not (empty / "manifest.json").exists()


def test_a_module_in_the_current_folder_is_not_taken_for_a_library(content, write, empty, monkeypatch):
    monkeypatch.chdir(empty.parent)
    Path("numpy.py").write_text("raise SystemExit('the wrong numpy')")
    convert_apart("simsv2", write(content), empty, LIMIT, 60)


def large_file(path):
    """A file whose conversion takes some seconds."""
    rng = np.random.default_rng(0)
    corpus = CORPORA["simsv2"]
    content = {}
    for split, n in (("train", 60), ("valid", 4), ("test", 4)):
        content[split] = {
            m: np.broadcast_to(rng.normal(size=(1, 400, d)), (n, 400, d)) for m, d in corpus.features.items()
        }
        content[split] |= {"id": [f"{split}{i}" for i in range(n)], "regression_labels": np.zeros(n)}
    path.write_bytes(pickle.dumps(content, 4))


@pytest.mark.slow
def test_killing_the_import_leaves_nothing_that_is_taken_for_a_data_set(tmp_path):
    large_file(tmp_path / "file.pkl")
    command = [sys.executable, "-m", "alharness", "data", "import", "simsv2", "file.pkl"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    while not list(tmp_path.glob("data/.simsv2-*/new/train/text.npy")):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "data" / "simsv2").exists()
    left = list(tmp_path.glob("data/.simsv2-*/new"))
    deadline = time.monotonic() + 30
    while children(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children(tmp_path) == []
    assert [folder for folder in left if (folder / "manifest.json").exists()] == []
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.DEVNULL, check=True)
    assert done.returncode == 0
    manifest = json.loads((tmp_path / "data/simsv2/manifest.json").read_text())
    assert manifest["modalities"] == list(MODALITIES)
    assert list(tmp_path.glob("data/.simsv2-*")) == []


def children(folder):
    """Processes that still convert a file of this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes()
            if b"mmsa.isolation" in words and (entry / "cwd").readlink() == folder:
                found.append(entry.name)
        except OSError:
            continue
    return found
