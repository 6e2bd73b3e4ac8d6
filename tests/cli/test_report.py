"""`alharness report` as a user calls it."""

import pytest

from alharness.api.records import Cell, CycleRecord, Plan, Schedule
from alharness.cli import main
from alharness.runs import saved
from alharness.runs.journal import Journal


@pytest.fixture
def make_folder(tmp_path):
    def build(name, n=3, cycles=3):
        folder = tmp_path / name
        folder.mkdir()
        cells = tuple(
            Cell(label=label, sampler=label, params={}, distribution="d==1", seed=seed, key=f"{label}{seed}")
            for seed in range(n)
            for label in ("random", "other")
        )
        run = Plan(
            name=name,
            experiment=f"{name}-1",
            folder=folder,
            schedule=Schedule(initial_pool=10, sizes=(10, 10)),
            pool=100,
            cells=cells,
            metric="f1",
            params={"dataset": "toy", "model": "net"},
        )
        saved.save(run)
        for cell in cells:
            journal = Journal(folder / "cells" / cell.folder, {"data": "d"}, 1)
            for c in range(cycles):
                value = 0.5 + 0.1 * c + 0.01 * cell.seed + 0.002 * len(cell.label) * (c + cell.seed)
                cost = {"train_seconds": 1.0, "query_seconds": 0.1}
                journal.append(
                    CycleRecord(cycle=c, labeled=10 + 10 * c, metrics={"f1": value}, cost=cost, at=c + 2)
                )
        return folder

    return build


@pytest.fixture
def report(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["report", *map(str, arguments)])
        return ended.value.code, capsys.readouterr()

    return run


def test_a_run_gets_its_page_beside_it_and_its_answers_on_the_console(report, make_folder):
    folder = make_folder("demo")
    code, shown = report(folder, "--target", "0.6")
    assert code == 0
    assert (folder / "report/index.html").exists()
    assert "Which sampler should I use here?" in shown.out
    assert "How sure are we?" in shown.out
    assert f"Page:     {folder}/report/index.html" in shown.out
    assert (folder / "report/tables/labels_to_target_1.csv").exists()


def test_several_runs_go_where_they_are_asked_to(report, make_folder, tmp_path):
    code, shown = report(make_folder("one"), make_folder("two"), "--out", tmp_path / "both")
    assert code == 0
    assert (tmp_path / "both/index.html").exists()
    assert "over these settings" in shown.out


def test_a_run_that_goes_on_is_reported_as_far_as_it_is(report, make_folder):
    folder = make_folder("young", cycles=2)
    code, shown = report(folder)
    assert code == 0
    assert "Nothing is finished yet." in shown.out
    assert "0 of 6 cells are complete" in (folder / "report/index.html").read_text()


@pytest.mark.parametrize(("where", "words"), [("nowhere", "no such folder"), (".", "in it are: ")])
def test_what_is_no_run_is_said_to_be_none(report, make_folder, tmp_path, where, words):
    make_folder("demo")
    code, shown = report(tmp_path / where)
    assert code == 1
    assert words in shown.err


def test_help_teaches(report):
    code, shown = report("--help")
    assert code == 0
    assert "alharness report runs/" in shown.out


def test_a_folder_of_runs_is_listed_with_a_command_for_each_the_newest_first(report, make_folder, tmp_path):
    make_folder("alpha")
    make_folder("beta", n=1, cycles=2)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{}")
    code, shown = report(tmp_path)
    lines = shown.out.splitlines()
    assert code == 1  # nothing was written
    assert lines[0] == f"3 runs in {tmp_path}:"
    assert [line.split(" report ")[1] for line in lines[1::2]] == [
        str(tmp_path / name) for name in ("alpha", "beta", "broken")
    ]
    assert lines[2].startswith("    6 of 6 cells complete, last written 1970-01-01 ")
    assert lines[4].startswith("    0 of 2 cells complete, last written ")
    assert "cannot be read" in lines[6]
    assert not list(tmp_path.glob("**/index.html"))


def test_a_folder_without_runs_is_still_an_error(report, tmp_path):
    code, shown = report(tmp_path)
    assert code == 1
    assert "is no run directory" in shown.err


def test_a_target_is_a_number_that_can_be_reached(report, make_folder):
    code, shown = report(make_folder("demo"), "--target", "nan")
    assert code == 2
    assert "a finite number" in shown.err


def test_a_file_is_no_run_directory(report, tmp_path):
    (tmp_path / "file").touch()
    assert "there is no such folder" in report(tmp_path / "file")[1].err
