"""The command `power`."""

import re
from math import ceil
from pathlib import Path

import numpy as np
import pytest

from alharness.api.records import Cell, CycleRecord, Plan, Schedule, Stopping
from alharness.cli import main
from alharness.runs import saved
from alharness.runs.journal import Journal

SPEC = """
name: demo
dataset: digits
active_learning: {initial_pool: 10, budget: 5, cycles: 1}
samplers: [random, margin, coreset]
"""


def make_folder(folder, shifts, seeds=5, name="demo", **more):
    """A finished run of samplers that are better than Random by so much, with noise of 0.01."""
    draws = np.random.default_rng(0)
    cells = {
        Cell(
            label=label, sampler=label, params={}, distribution="d==1", seed=seed, key=f"{label}{seed}0000000"
        ): 0.8 + shift + 0.01 * draws.normal()
        for seed in range(seeds)
        for label, shift in {"random": 0.0, **shifts}.items()
    }
    run = Plan(
        name=name,
        experiment=folder.name,
        folder=folder,
        schedule=Schedule(initial_pool=10, sizes=(5,)),
        pool=30,
        cells=tuple(cells),
        metric="f1",
        params={"dataset": "digits", "model": "late_fusion"},
        **more,
    )
    folder.mkdir(parents=True)
    for cell, value in cells.items():
        book = Journal(folder / "cells" / cell.folder, {}, now=1)
        for cycle in range(2):
            cost = {"train_seconds": 2.0, "evaluate_seconds": 1.0} | ({} if cycle else {"query_seconds": 3.0})
            book.append(CycleRecord(cycle=cycle, labeled=10 + 5 * cycle, metrics={"f1": value}, cost=cost))
    saved.save(run)
    return folder


@pytest.fixture
def power(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def power(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["power", *map(str, arguments)])
        out, err = capsys.readouterr()
        return ended.value.code, " ".join(out.split()), err

    return power


def test_it_names_seeds_time_and_command(power):
    folder = make_folder(Path("runs/demo-1"), {"margin": 0.1, "coreset": 0.0})
    code, out, _ = power(folder)
    assert code == 0
    assert "demo: 5 seeds, area of f1 (higher is better)" in out
    assert "A difference within ±0.008 does not matter: 1% of the area of random" in out
    assert " better – –" in out
    assert "To decide the open comparison: " in out
    seeds = int(out.split("To decide the open comparison: ")[1].split()[0])
    assert f"{seeds} seeds, {seeds - 5} more, about " in out
    assert f"run SPEC --set seeds={seeds}" in out
    assert f"'seeds={{until: decided, at_least: 5, at_most: {ceil(1.6 * seeds)}, margin: 0.008}}'" in out


def test_a_larger_margin_takes_fewer_seeds_and_more_jobs_less_time(power):
    folder = make_folder(Path("elsewhere/demo-1"), {"margin": 0.006})
    _, narrow, _ = power(folder)
    _, wide, _ = power(folder, "--margin", "0.0105", "--jobs", "2")

    def seeds(out):
        return int(out.split("comparison: ")[1].split()[0])

    assert seeds(wide) < seeds(narrow)
    assert "A difference within ±0.0105 does not matter: as asked" in wide
    assert "with --jobs 2" in wide
    assert f"--set seeds={seeds(wide)} --jobs 2 --workdir elsewhere" in wide


def test_the_spec_is_named_if_the_run_is_of_it(power, capsys):
    Path("specs").mkdir()
    Path("specs/demo.yaml").write_text(SPEC)
    with pytest.raises(SystemExit):
        main(["check", "demo"])
    experiment = capsys.readouterr().out.split("run directory")[1].split()[0]
    _, out, _ = power(make_folder(Path("runs") / experiment, {"margin": 0.0}))
    assert "run demo --set seeds=" in out
    assert experiment.startswith("demo-")


def test_nothing_is_open(power):
    _, out, _ = power(make_folder(Path("runs/demo-1"), {"margin": 0.2}))
    assert "Nothing is open: every difference is shown, or does not matter." in out
    assert "alharness run" not in out


def test_of_a_run_whose_seeds_stop_it_says_what_is_decided_and_how_far_to_go(power, tmp_path):
    make_folder(tmp_path / "runs" / "x", {"margin": 0.2, "coreset": 0.01}, stopping=Stopping(margin=0.008))
    code, out, _ = power("runs/x")
    assert code == 0
    assert "margin is better than random: +0.2" in out
    assert "undecided: coreset and random" in out
    (most,) = re.findall(r"To decide what is open may take up to ([0-9]+) seeds\.", out)
    assert f"--set seeds.at_most={most}" in out
    _, out, _ = power("runs/x", "--margin", "0.0001")
    assert "may take more than 1,000 seeds" in out


def test_of_a_run_whose_seeds_stop_nothing_may_be_open(power, tmp_path):
    make_folder(tmp_path / "runs" / "x", {"margin": 0.2}, stopping=Stopping())
    assert "Nothing is open." in power("runs/x")[1]


def test_several_runs_come_one_after_the_other(power):
    folders = [make_folder(Path(f"runs/{name}-1"), {"margin": 0.2}, name=name) for name in ("one", "two")]
    _, out, _ = power(*folders)
    assert out.index("one: 5 seeds") < out.index("two: 5 seeds")


def test_too_few_seeds_are_refused(power):
    code, _, err = power(make_folder(Path("runs/demo-1"), {"margin": 0.2}, seeds=2))
    assert code != 0
    assert "says nothing about noise before 3 seeds of Random and of another sampler are finished" in err


def test_a_margin_that_is_no_number_is_refused(power):
    code, _, err = power(make_folder(Path("runs/demo-1"), {"margin": 0.2}), "--margin", "-1")
    assert code != 0
    assert "the margin is a positive number in units of f1" in err
