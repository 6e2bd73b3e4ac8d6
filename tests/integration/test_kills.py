"""Journals do not depend on which models train together, on the number of workers, or on kills."""

import os
import random
import time

import psutil
import pytest

KILLS = int(os.environ.get("ALHARNESS_TEST_KILLS", "4"))
OPTIONS = [
    ["--stack", "1"],
    ["--stack", "7"],
    ["--stack", "auto"],
    ["--stack", "2", "--jobs", "2"],
    ["--jobs", "2"],
]


SPEC = """\
name: trial
dataset: digits
training: {epochs: 30, patience: 3, device: cpu}
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
@pytest.mark.parametrize(("stack", "jobs"), [(7, 1), (None, 1), (None, 2), (1, 2)])
def test_journals_do_not_depend_on_stacks_and_workers(path, whole, run_spec, journals, tmp_path, stack, jobs):
    run_spec(path, tmp_path / "other", stack=stack, jobs=jobs)
    assert journals(tmp_path / "other") == whole


@pytest.mark.slow
def test_journals_do_not_depend_on_kills(path, whole, command, wait_for_lines, journals, tmp_path):
    chance = random.Random(0)
    work, total = tmp_path / "runs", sum(len(lines) - 1 for lines in whole.values())
    for number in range(KILLS):
        process = command("run", path, "--no-tracking", *chance.choice(OPTIONS))
        wait_for_lines(work, (number * total) // (KILLS + 1), process)
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
