"""Run directories in a folder, and the one that a name means."""

import subprocess
import sys
from pathlib import Path

import pytest

from alharness.api.records import Cell, CycleRecord, Plan, Schedule
from alharness.errors import RunError
from alharness.runs import saved
from alharness.runs.finding import find_run, find_runs, list_runs, report_folder
from alharness.runs.journal import Journal


@pytest.fixture
def make(tmp_path, monkeypatch):
    """A run directory as far as it is looked at: two cells of three cycles."""
    monkeypatch.chdir(tmp_path)

    def make(folder="first-1a2b3c4d", name="first", cycles=(3, 2), at=1000.0, torn=""):
        path = tmp_path / "runs" / folder
        cells = tuple(
            Cell(label="random", sampler="random", params={}, distribution="", seed=seed, key=f"{seed}" * 10)
            for seed in range(len(cycles))
        )
        for cell, count in zip(cells, cycles, strict=True):
            book = Journal(path / "cells" / cell.folder, {}, int(at * 1000))
            for n, labeled in enumerate((20, 30, 35)[:count]):
                chosen = tuple(f"id{i}" for i in range(labeled, (30, 35, 35)[n]))
                book.append(
                    CycleRecord(cycle=n, labeled=labeled, metrics={}, chosen=chosen, at=int((at + n) * 1000))
                )
            with book.path.open("a") as file:
                file.write(torn)
        saved.save(
            Plan(
                name=name,
                experiment=path.name,
                folder=path,
                schedule=Schedule(initial_pool=20, sizes=(10, 5)),
                pool=99,
                cells=cells,
                params={"dataset": "digits", "model": "late_fusion"},
            )
        )
        return path

    return make


def test_what_is_known_of_a_run(make):
    path = make()

    (found,) = list_runs()

    assert (found.path.resolve(), found.name, found.setting) == (
        path,
        "first",
        "digits, late_fusion, 20 → 35 labels",
    )
    assert (found.complete, found.cells, found.cycles) == (1, 2, 5)
    assert found.at == 1002
    assert found.progress == "1 of 2 cells complete"


def test_a_torn_line_is_no_cycle(make):
    make(torn='{"measu')
    assert list_runs()[0].cycles == 5


def test_a_cell_with_a_damaged_journal_is_not_complete(make):
    path = make(cycles=(3, 3))
    journal = next(path.glob("cells/random-s0-*/journal.jsonl"))
    journal.write_bytes(journal.read_bytes().replace(b'"labeled": 30', b'"labeled": 31'))

    (found,) = list_runs()

    assert found.progress == "1 of 2 cells complete"


def test_the_last_one_comes_first(make):
    for at in (2000, 9000, 5000):
        make(f"x-{at}", at=float(at))
    assert [run.path.name for run in list_runs()] == ["x-9000", "x-5000", "x-2000"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"run": {"cells": 3}}', None])
def test_a_damaged_run_is_listed_with_what_is_wrong(make, content):
    make()
    file = make("second-1a2b3c4d") / "run.json"
    file.unlink() if content is None else file.write_bytes(content)

    found = {run.path.name: run for run in list_runs()}

    assert found["first-1a2b3c4d"].problem == ""
    assert "run.json" in found["second-1a2b3c4d"].problem
    assert found["second-1a2b3c4d"].name == "second"


def test_other_folders_are_no_runs(make, tmp_path):
    make()
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "file").touch()
    assert len(list_runs()) == 1
    assert list_runs(tmp_path / "nowhere") == []


def test_a_run_is_meant_by_its_path_its_name_or_its_spec(make, tmp_path):
    path = make()
    made_up = make("other-standin-1a2b3c4d", "other-standin")
    (tmp_path / "any.yaml").write_text("name: first\n")
    (tmp_path / "first.yaml").write_text("name: nothing\n")

    assert find_run(path) == path
    assert find_run("runs/first-1a2b3c4d").resolve() == path
    assert find_run("first-1a2b3c4d").resolve() == path
    assert find_run("first").resolve() == path
    assert find_run("any.yaml").resolve() == path
    assert find_run("any").resolve() == path
    assert find_run("other").resolve() == made_up
    with pytest.raises(RunError, match=r"^first.yaml: there is no such folder, and no run in runs has this name"):
        find_run("first.yaml")


def test_a_run_elsewhere_is_meant_by_its_name(make, tmp_path, monkeypatch):
    path = make()
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "away")
    assert find_run("first", path.parent) == path
    with pytest.raises(RunError, match="no runs in runs"):
        find_run("first")


@pytest.mark.parametrize("named", [3, None, ["runs/first-1a2b3c4d"]])
def test_what_is_no_name_is_refused(named):
    with pytest.raises(RunError, match="^expected a run directory, or the name or file of a spec, but it is "):
        find_run(named)


def test_candidates_are_listed(make):
    make()
    make("first-99999999", at=5000.0)
    with pytest.raises(RunError) as caught:
        find_run("first")
    lines = str(caught.value).splitlines()
    assert lines[0] == "first: 2 runs in runs have this name; write which:"
    assert [line.partition(":")[0] for line in lines[1:]] == ["  runs/first-99999999", "  runs/first-1a2b3c4d"]


def test_without_runs_the_error_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="there are no runs in runs; make one with .*alharness run first"):
        find_run("first")


def test_the_command_lists_them_without_heavy_imports(make, tmp_path):
    make()
    code = """
import sys
from alharness.cli import main
try:
    main(["runs"])
except SystemExit as leaving:
    assert leaving.code == 0
heavy = {"torch", "pandas", "numpy", "mlflow", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
"""
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path)

    row = next(line for line in shown.stdout.splitlines() if "first-1a2b3c4d" in line)
    assert "digits, late_fusion, 20" in row
    assert " 1 of 2 " in row


GRID = """\
name: grid
extends: base.yaml
matrix: {training.epochs: [1, 2, 3]}
"""


@pytest.fixture
def grid(make, tmp_path):
    """A spec of three settings; the first two have a run."""
    (tmp_path / "any.yaml").write_text(GRID)
    (tmp_path / "base.yaml").write_text("training: {epochs: 7}\n")
    return [make(f"grid-epochs{n}-1a2b3c4d", f"grid-epochs{n}") for n in (1, 2)]


@pytest.mark.parametrize("named", ["any.yaml", "any", Path("any.yaml")])
def test_a_spec_with_a_matrix_means_the_runs_of_all_its_settings(grid, named):
    said = []

    assert [path.resolve() for path in find_runs(named, warn=said.append)] == grid
    assert said == [f"{named}: no run yet of grid-epochs3"]


def test_a_matrix_may_vary_parameters_of_a_data_set_that_is_named_alone(make, tmp_path):
    short = "name: grid\ndataset: digits\nmatrix: {dataset.params.share: [1, 2]}\n"
    (tmp_path / "any.yaml").write_text(short)
    made = [make(f"grid-share{n}-1a2b3c4d", f"grid-share{n}") for n in (1, 2)]

    assert [path.resolve() for path in find_runs("any")] == made


def test_runs_on_made_up_data_are_those_of_their_settings(grid, make):
    path = make("grid-epochs3-standin-1a2b3c4d", "grid-epochs3-standin")

    assert find_runs("any")[2].resolve() == path


@pytest.mark.parametrize("named", ["grid-epochs1", "runs/grid-epochs1-1a2b3c4d"])
def test_one_setting_is_one_run(grid, named):
    assert [path.resolve() for path in find_runs(named)] == grid[:1]


def test_no_setting_has_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "any.yaml").write_text(GRID.replace("extends: base.yaml\n", ""))

    with pytest.raises(RunError, match="any: none of its 3 settings has a run in runs; make them with"):
        find_runs("any")


def test_a_setting_with_several_runs_is_not_guessed(grid, make):
    make("grid-epochs2-2b3c4d5e", "grid-epochs2")

    with pytest.raises(RunError, match="grid-epochs2: 2 runs in runs have this name; write which:"):
        find_runs("any")


def test_a_spec_whose_base_is_missing_is_looked_up_by_its_name(make, tmp_path):
    path = make("any-1a2b3c4d", "any")
    (tmp_path / "any.yaml").write_text(GRID)

    assert [found.resolve() for found in find_runs("any")] == [path]


@pytest.mark.parametrize(
    ("named", "count", "folder"),
    [
        (["runs/a-1"], 1, "runs/0/report"),
        (["any.yaml"], 1, "runs/0/report"),
        (["any.yaml"], 2, "reports/grid"),
        (["any.yaml", "runs/a-1"], 3, "report"),
    ],
)
def test_where_a_report_is_written(grid, named, count, folder):
    assert report_folder(named, [Path("runs", str(n)) for n in range(count)]) == Path(folder)


def test_runs_of_a_whole_grid_are_found_without_their_journals(grid, make, monkeypatch):
    grid.append(make("grid-epochs3-standin-1a2b3c4d", "grid-epochs3-standin"))
    monkeypatch.setattr(saved, "load", None)

    assert [path.resolve() for path in find_runs("any")] == grid
