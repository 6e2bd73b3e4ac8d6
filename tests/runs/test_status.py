"""How far a run is, as seen from outside."""

import json

import pytest

from alharness.api.records import Cell, CycleRecord, Outcome, Plan, Schedule
from alharness.cli import main
from alharness.cli import status as command
from alharness.runs import journal, saved
from alharness.runs.claims import Claims
from alharness.runs.directory import RunDirectory
from alharness.runs.jobs import Submission, Submissions
from alharness.runs.journal import Journal
from alharness.runs.status import Watcher

CELLS = tuple(
    Cell(label=label, sampler=label, params={}, distribution="d==1", seed=seed, key=f"{label}{seed}" * 3)
    for seed in (0, 1)
    for label in ("random", "grace")
)


@pytest.fixture
def folder(tmp_path):
    """A run directory of four cells of two cycles, of which nothing was begun."""
    path = tmp_path / "x-1"
    path.mkdir()
    schedule = Schedule(initial_pool=3, sizes=(1,))
    saved.save(Plan(name="x", experiment="x-1", folder=path, schedule=schedule, pool=9, cells=CELLS))
    return path


@pytest.fixture
def advance(folder):
    """Let a cell have so many cycles."""

    def write(cell, cycles):
        book = Journal(folder / "cells" / cell.folder, {"data": "d"}, 1)
        for number in range(len(book.cycles), cycles):
            cost = {"train_seconds": 100.0, "evaluate_seconds": 10.0}
            chosen = ("a",) if number == 0 else ()
            book.append(
                CycleRecord(cycle=number, labeled=3 + number, metrics={"f1": 0.5}, chosen=chosen, cost=cost)
            )

    return write


@pytest.fixture
def working(folder):
    """A process at work on some cells."""

    def begin(*cells):
        claims = Claims(RunDirectory(folder), pytest.fail)
        begun.append(claims.__enter__())
        claims.claim(cells)
        return claims

    begun = []
    yield begin
    for claims in begun:
        claims.__exit__()


@pytest.fixture
def status(folder, capsys, monkeypatch):
    """The command; gives exit code and output."""
    monkeypatch.chdir(folder.parent)

    def ask(*options):
        with pytest.raises(SystemExit) as ended:
            main(["status", folder.name, *options])
        return ended.value.code, capsys.readouterr().out

    return ask


def test_cells_are_counted_by_what_they_are_doing(folder, advance, working):
    advance(CELLS[0], 2)
    advance(CELLS[1], 1)
    working(*CELLS[:3])
    found = Watcher(folder).look()
    assert dict(found.states) == {"complete": 1, "running": 1, "waiting": 2}
    assert (found.cycles, found.of) == (3, 8)
    (process,) = found.processes
    assert (process.complete, process.cells) == (1, 3)
    assert not found.ended
    assert not found.needs_help


def test_the_time_left_is_that_of_the_process_with_most_to_do(folder, advance, working):
    advance(CELLS[0], 2)
    assert Watcher(folder).look().left is None
    working(CELLS[1])
    working(CELLS[2], CELLS[3])
    found = Watcher(folder).look()
    left = sorted(process.left for process in found.processes)
    assert 100 < left[0] < left[1]
    assert found.left == left[1]


def test_a_cell_that_failed_is_seen_before_its_process_has_ended(folder, advance, working, status):
    advance(CELLS[1], 1)
    claims = working(*CELLS)
    claims.note_end(Outcome(cell=CELLS[1], status="diverged", error="the loss is infinite"))
    found = Watcher(folder).look()
    assert (found.states["failed"], found.states["waiting"]) == (1, 3)
    code, told = status()
    assert code == 1
    assert "grace-s0: diverged: the loss is infinite" in told


def test_a_run_without_a_process_says_so(advance, status):
    advance(CELLS[0], 1)
    code, told = status()
    assert code == 1
    assert "No process works on what is left: run its spec again to continue." in told


def test_a_killed_process_is_not_at_work(folder, advance, status):
    left = folder / "processes" / "7-abc"
    left.mkdir(parents=True)
    (left / "lock").touch()
    (left / "holder.json").write_text(json.dumps({"pid": 7, "host": "far", "cells": [CELLS[0].folder]}))
    assert status()[0] == 1


def test_a_complete_run_needs_nothing(advance, status):
    for cell in CELLS:
        advance(cell, 2)
    code, told = status("--watch")
    assert code == 0
    assert "x: 4 of 4 cells complete\n" in told


def test_it_is_watched_until_all_cells_have_ended(advance, working, status, monkeypatch):
    claims = working(*CELLS)
    advance(CELLS[0], 2)

    def pass_time(_):
        for cell in CELLS:
            advance(cell, 2)
        claims.__exit__()

    monkeypatch.setattr(command.time, "sleep", pass_time)
    code, told = status("--watch")
    first, last = told.splitlines()
    assert code == 0
    assert "x: 1 of 4 cells complete, 3 waiting; about" in first
    assert last.endswith("x: 4 of 4 cells complete")


def test_ctrl_c_ends_the_watch(working, status, monkeypatch):
    def stop(_):
        raise KeyboardInterrupt

    working(*CELLS)
    monkeypatch.setattr(command.time, "sleep", stop)
    assert status("--watch")[0] == 0


def test_only_what_changed_is_read_again(folder, advance, monkeypatch):
    advance(CELLS[0], 2)
    advance(CELLS[1], 1)
    watcher, read = Watcher(folder), []
    watcher.look()
    original = journal.read
    monkeypatch.setattr(journal, "read", lambda path, labeled: read.append(path) or original(path, labeled))
    advance(CELLS[1], 2)
    assert watcher.look().cycles == 4
    assert [path.parent.name for path in read] == [CELLS[1].folder]


def test_nothing_is_written(folder, advance, working):
    advance(CELLS[0], 1)
    working(CELLS[0])
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    Watcher(folder).look()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_of_a_run_that_is_just_beginning_the_cells_of_its_process_are_known(folder, working):
    (folder / saved.NAME).unlink()
    working(*CELLS[:3])
    found = Watcher(folder).look()
    assert (found.name, dict(found.states), found.needs_help) == ("x", {"waiting": 3}, False)
    assert [process.cells for process in found.processes] == [3]


@pytest.fixture
def submit(folder):
    """Note jobs that were submitted at a time: id -> cells."""

    def note(at=2, **jobs):
        cells = {job: tuple(cell.folder for cell in cells) for job, cells in jobs.items()}
        Submissions(folder).add(Submission(system="slurm", at=at, logs="/logs", cells=cells))

    return note


def test_jobs_that_have_not_begun_need_no_help(folder, submit, status):
    (folder / saved.NAME).unlink()
    submit(a=CELLS[:2], b=CELLS[2:])
    code, told = status()
    assert code == 0
    assert "0 of 4" in told
    assert "in the queue" in told
    assert "slurm: jobs a to b, submitted 1970-01-01" in told
    assert "with 4 cells: not begun yet; logs: /logs" in told


def test_a_job_has_begun_if_a_cell_of_it_has_or_a_process_has_one(folder, advance, working, submit):
    submit(a=CELLS[:1], b=CELLS[1:2], c=CELLS[2:], at=0)
    advance(CELLS[0], 1)  # which begins at 1
    working(CELLS[3])
    (queued,) = Watcher(folder).look().queued
    assert queued.jobs == ("b",)


def test_what_was_submitted_again_is_in_the_later_job(folder, submit):
    submit(a=CELLS)
    submit(at=3, b=CELLS)
    assert [queued.jobs for queued in Watcher(folder).look().queued] == [("b",)]


def test_cells_that_were_begun_before_wait_in_their_job(folder, advance, submit):
    advance(CELLS[0], 1)
    submit(a=CELLS[:1], at=99)
    assert [queued.jobs for queued in Watcher(folder).look().queued] == [("a",)]
