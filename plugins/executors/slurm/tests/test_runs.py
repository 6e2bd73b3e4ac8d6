"""Whole commands, with a Slurm that is made up, and with a real one where `make clusters` has installed it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import alharness

SPEC = """\
name: trial
dataset: digits
training: {epochs: 2, device: cpu}
active_learning: {initial_pool: 20, budget: 5, cycles: CYCLES}
seeds: 2
samplers: [random, coreset]
"""


@pytest.fixture
def run(tmp_path):
    """`alharness run` of a spec as a user starts it; gives the process, or what it printed if it is waited for."""

    def start(*words, cycles=2, code=0, wait=True):
        (tmp_path / "trial.yaml").write_text(SPEC.replace("CYCLES", str(cycles)))
        command = [sys.executable, "-m", "alharness", "run", "trial.yaml", "--no-tracking", *words]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if not wait:
            return process
        output, _ = process.communicate(timeout=200)
        assert process.returncode == code, output
        return output

    return start


@pytest.fixture
def journals(tmp_path):
    """Folder of a cell -> its journal without what was measured."""

    def read(workdir):
        found = {}
        for path in sorted((tmp_path / workdir).glob("*/cells/*/journal.jsonl")):
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            found[path.parent.name] = [{k: v for k, v in line.items() if k != "measured"} for line in lines]
        return found

    return read


def cycles(workdir):
    books = workdir.glob("*/cells/*/journal.jsonl")
    return sum(len(book.read_bytes().splitlines()) - 1 for book in books)


@pytest.mark.long
def test_jobs_are_submitted_followed_and_leave_the_same_journals(run, fake, journals, tmp_path):
    shown = run("--executor", "slurm")
    assert "slurm: submitted 2 jobs with 4 cells: 1_0 to 1_1" in shown
    assert "[4/4]" in shown
    assert "│ coreset │ 2 │" in shown
    alharness.run(tmp_path / "trial.yaml", workdir=tmp_path / "here", tracking=False, progress=False)
    assert journals("runs") == journals("here") != {}


def slurm(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@pytest.mark.cluster
def test_a_job_that_is_cancelled_half_way_is_continued_by_the_same_command(run, cluster, wait, journals, tmp_path):
    first = run("--executor", "slurm", "-x", "cpus=1", cycles=20, wait=False)
    wait(lambda: cycles(tmp_path / "runs") >= 8, 120)
    running = slurm("squeue", "-h", "-r", "-t", "RUNNING", "-o", "%i").split()
    slurm("scancel", running[0])
    output, _ = first.communicate(timeout=200)
    assert first.returncode == 1, output
    assert f"its job {running[0]} ended before the cell was finished (CANCELLED" in output
    assert "[2/4]" in output, "the other job has continued"
    assert 8 < cycles(tmp_path / "runs") < 4 * 21
    output = run("--executor", "slurm", cycles=20)
    assert "submitted 1 job with 2 cells" in output
    run("--workdir", "here", cycles=20)
    assert journals("runs") == journals("here")


@pytest.mark.cluster
def test_a_job_that_is_asked_to_stop_continues_when_it_is_its_turn_again(run, cluster, wait, journals, tmp_path):
    """As Slurm asks it before its time is over; what was begun there is finished here."""
    run("--executor", "slurm", "--jobs", "1", "--submit", cycles=20)
    wait(lambda: cycles(tmp_path / "runs") >= 4, 120)
    (running,) = slurm("squeue", "-h", "-r", "-t", "RUNNING", "-o", "%i").split()
    slurm("scancel", "--batch", "--signal=USR1", running)
    wait(lambda: f"{running} PENDING" in slurm("squeue", "-h", "-r", "-o", "%i %T"), 60)
    done = cycles(tmp_path / "runs")
    assert 4 <= done < 2 * 21
    slurm("scancel", running.partition("_")[0])
    wait(lambda: not slurm("squeue", "-h"), 60)
    run(cycles=20)
    run("--workdir", "here", cycles=20)
    assert journals("runs") == journals("here")


@pytest.mark.cluster
def test_the_script_that_is_printed_can_be_submitted(run, cluster, wait, journals, tmp_path):
    printed = run("--emit-sbatch", "-x", "time=5")
    (tmp_path / "job.sh").write_text(printed[printed.index("#!/bin/bash") :])  # without a warning on stderr
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(["sbatch", "job.sh"], cwd=tmp_path, check=True, env={**os.environ, "PATH": path})
    wait(lambda: not slurm("squeue", "-h"), 120)
    run("--workdir", "here")
    assert journals("runs") == journals("here") != {}


@pytest.mark.cluster
def test_what_slurm_refuses_ends_the_command_with_its_words(run, cluster):
    assert "Invalid partition name" in run("--executor", "slurm", "-x", "partition=nowhere", code=1)
    asked = run("--executor", "slurm", "-x", "mem=900G", code=1)
    assert "Memory specification can not be satisfied" in asked


@pytest.mark.cluster
def test_a_controller_that_is_away_is_named(run, cluster, monkeypatch, tmp_path):
    conf = tmp_path / "slurm.conf"
    text = cluster.read_text().replace("SlurmctldPort=", "SlurmctldPort=1 #")
    conf.write_text(f"{text}\nMessageTimeout=2\n")
    monkeypatch.setenv("SLURM_CONF", str(conf))
    began = time.monotonic()
    output = run("--executor", "slurm", code=1)
    assert "Unable to contact slurm controller" in output
    assert "scontrol ping: Slurmctld(primary) at" in output
    assert time.monotonic() - began < 60
