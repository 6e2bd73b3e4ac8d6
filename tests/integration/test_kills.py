"""Journals do not depend on which models train together, on the number of workers, or on crashes."""

import os
import random
import signal
import sqlite3
import time
from contextlib import closing

import psutil
import pytest

from alharness import faults

KILLS = int(os.environ.get("ALHARNESS_TEST_KILLS", "1"))
OPTIONS = [
    ["--stack", "1"],
    ["--stack", "7"],
    ["--stack", "auto"],
    ["--stack", "2", "--jobs", "2"],
    ["--jobs", "2"],
]

CRASHES = [
    ("claimed", [], "killed"),
    ("write:4", [], "killed"),
    ("fit", [], "killed"),
    ("rename:4", [], "killed"),
    ("append:6", ["--jobs", "2"], "killed"),
    ("append:2:full", ["--only", "sure"], "failed"),
    ("appended:3", ["--stack", "7"], "killed"),
    ("track", ["--require-tracking"], "killed"),
    ("tracked", ["--require-tracking"], "killed"),
    ("ended", [], "killed"),
]
"""Faults one after the other, with other options of the same run, and what becomes of the command."""
OF_WORKERS = {"train", "query", "queried"}
"""Points that `test_faults.py` kills workers at: the command itself continues."""

SPEC = """\
name: trial
dataset: digits
training: {epochs: 30, batch_size: 20, patience: 3, device: cpu}
active_learning: {initial_pool: 20, budget: 20, cycles: 3}
seeds: 2
samplers: [first, entropy, margin, slow]
reference: {full_data: true}
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A spec of cells that end in different epochs, with references."""
    path = tmp_path_factory.mktemp("spec") / "trial.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture(scope="module")
def whole(path, run_spec, journals, tmp_path_factory):
    """The journals of a run of one cell after another."""
    folder = tmp_path_factory.mktemp("whole")
    _, record, _ = run_spec(path, folder, stack=1)
    assert {cell.status for cell in record.cells} == {"ok"}
    return journals(folder)


def workers(process):
    """Processes that hold much: those that compute."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if child.memory_info().rss > 100 * 2**20]


@pytest.mark.slow
@pytest.mark.parametrize(("stack", "jobs"), [(7, 1), (None, 2)])
def test_journals_do_not_depend_on_stacks_and_workers(path, whole, run_spec, journals, tmp_path, stack, jobs):
    run_spec(path, tmp_path / "other", stack=stack, jobs=jobs)
    assert journals(tmp_path / "other") == whole


@pytest.mark.long
def test_case_03_journals_do_not_depend_on_the_point_of_a_crash(
    write_spec, run_spec, command, journals, fresh_store, tmp_path
):
    """Whole commands, each of which continues what the last one left; in the end MLflow has every point once."""
    path = write_spec(samplers="[first, narrow, draw, sure]")
    run_spec(path, tmp_path / "whole")
    whole = journals(tmp_path / "whole")
    (tmp_path / "mlflow.db").write_bytes(fresh_store)
    assert {fault.partition(":")[0] for fault, _, _ in CRASHES} == faults.POINTS.keys() - OF_WORKERS
    for fault, options, end in CRASHES:
        tracking = options if "--require-tracking" in options else [*options, "--no-tracking"]
        process = command("run", path, *tracking, variables={faults.VARIABLE: fault})
        out, err = process.communicate(timeout=300)
        assert process.returncode == {"killed": -signal.SIGKILL, "failed": 1}[end], fault + out + err
        for cell, lines in journals(tmp_path / "runs", torn=True).items():
            assert lines == whole[cell][: len(lines)], fault
    last = command("run", path, "--require-tracking")
    out, err = last.communicate(timeout=300)
    assert last.returncode == 0, out + err
    assert journals(tmp_path / "runs") == whole
    assert not [*tmp_path.rglob("runs/*/processes"), *tmp_path.rglob("runs/**/.tmp-*")]
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as store:
        (cycles,) = store.execute("select count(*) from metrics where key = 'al/cycle'").fetchone()
        ends = store.execute("select status, count(*) from runs group by status").fetchall()
    assert cycles == sum(len(lines) - 1 for lines in whole.values())
    assert ends == [("FINISHED", len(whole))]


@pytest.mark.long
def test_case_01_and_case_02_journals_do_not_depend_on_kills(
    path, whole, command, wait_for_lines, journals, tmp_path
):
    chance = random.Random(0)
    work, total = tmp_path / "runs", sum(len(lines) - 1 for lines in whole.values())
    for number in range(KILLS):
        process = command("run", path, "--no-tracking", *chance.choice(OPTIONS))
        wait_for_lines(work, (number + 1) * total // (KILLS + 1), process)
        time.sleep(chance.uniform(0, 1))
        if chance.random() < 0.3:  # a worker, and a moment later the run
            chance.choice(workers(process) or [process]).kill()
            time.sleep(chance.uniform(0, 1))
        process.kill()
        process.communicate()
    last = command("run", path, "--no-tracking")
    out, err = last.communicate(timeout=300)
    assert last.returncode == 0, out + err
    assert "cycles are finished already" in out
    assert journals(work) == whole
