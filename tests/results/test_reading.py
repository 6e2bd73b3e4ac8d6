import json
import shutil

import numpy as np
import pytest

from alharness import Dataset, Task
from alharness.api.records import Cell, CycleRecord, Outcome, Plan, Schedule
from alharness.errors import RunError
from alharness.results.run import RunResults
from alharness.runs import pooltable, saved
from alharness.runs.journal import Journal

CONTEXT = {"data": "d", "split": {"train": "t"}, "initial_pool": "p", "device": "cpu", "versions": {"torch": "2"}}


def cell(label, seed=0, *, reference=False):
    return Cell(
        label=label,
        sampler=label,
        params={},
        distribution="d==1",
        seed=seed,
        key=f"{label}-{seed}",
        reference=reference,
    )


def cycle(number, first=4):
    chosen = (f"s{number}",) if number < 2 and first == 4 else ()
    return CycleRecord(
        cycle=number, labeled=first + number, metrics={"f1": 0.5 + number}, chosen=chosen, at=number
    )


A, B, REFERENCE = cell("a"), cell("b"), cell("full-data", reference=True)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "demo-1"


@pytest.fixture
def run(folder):
    folder.mkdir()
    return Plan(
        name="demo",
        experiment="demo-1",
        folder=folder,
        schedule=Schedule(initial_pool=4, sizes=(1, 1)),
        pool=9,
        cells=(A, B, REFERENCE),
    )


def write(run, which, n, context=CONTEXT):
    book = Journal(run.folder / "cells" / which.folder, context, now=5)
    for number in range(n):
        book.append(cycle(number, 9 if which.reference else 4))


def record(which, n, status="ok", error=""):
    cycles = tuple(cycle(number, 9 if which.reference else 4) for number in range(n))
    return Outcome(cell=which, status=status, cycles=cycles, started=5 if n else 0, error=error)


def test_what_is_complete_is_read_in_the_order_of_the_run(run, folder):
    for which, n in ((B, 3), (REFERENCE, 1), (A, 3)):
        write(run, which, n)
    saved.save(run)
    found = RunResults.read(folder)

    assert found.run == run
    assert found.records == found.complete == (record(A, 3), record(B, 3), record(REFERENCE, 1))
    assert [cell.context for cell in found.records] == [{"journal format": 2, **CONTEXT}] * 3
    assert (found.pool, found.others) == (None, ())


def test_cells_that_failed_come_back_with_their_error_and_their_cycles(run, folder):
    write(run, A, 2)
    failed = [
        record(A, 2, "failed", "it broke"),
        record(B, 0, "diverged", "NaN"),
        record(REFERENCE, 0, "interrupted"),
    ]
    saved.save(run, failed)
    found = RunResults.read(folder)

    assert list(found.records) == failed
    assert [cell.cell for cell in found.records if cell.context] == [A]
    assert found.complete == ()


def test_a_kill_leaves_its_cells_pending(run, folder):
    saved.save(run)
    write(run, A, 3)
    write(run, B, 1)

    assert RunResults.read(folder).records == (
        record(A, 3),
        record(B, 1, "pending"),
        record(REFERENCE, 0, "pending"),
    )


def test_a_cell_that_was_finished_since_it_failed_is_complete(run, folder):
    saved.save(run, [record(A, 0, "failed", "it broke")])
    write(run, A, 3)

    assert RunResults.read(folder).records[0] == record(A, 3)


def test_a_damaged_journal_is_one_failed_cell(run, folder):
    write(run, A, 3)
    write(run, B, 3)
    saved.save(run)
    book = folder / "cells" / A.folder / "journal.jsonl"
    book.write_bytes(book.read_bytes().replace(b'"cycle": 1', b'"cycle": 8'))
    a, b, _ = RunResults.read(folder).records

    assert (a.status, b.status) == ("failed", "ok")
    assert "this line is damaged" in a.error


def test_cells_that_the_spec_names_no_more_are_others(run, folder):
    write(run, A, 3)
    write(run, cell("z"), 3)
    write(run, cell("c"), 1)
    saved.save(run)
    (folder / "cells" / "file").touch()

    assert RunResults.read(folder).others == (cell("c").folder, cell("z").folder)


def test_a_moved_run_is_read_where_it_is(run, folder, tmp_path):
    write(run, A, 3)
    saved.save(run)
    shutil.move(folder, tmp_path / "moved")
    found = RunResults.read(tmp_path / "moved")

    assert found.run.folder == tmp_path / "moved"
    assert found.complete == (record(A, 3),)


def test_the_pool_comes_along(run, folder, make_samples):
    saved.save(run)
    pooltable.save(folder, Dataset(task=Task.CLASSIFICATION, content=make_samples(7), classes=("a", "b", "c")))
    found = RunResults.read(folder).pool

    assert (len(found.ids), found.classes) == (7, ("a", "b", "c"))
    assert np.isfinite(found.places).all()


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="is no run directory"):
        RunResults.read(tmp_path)


def test_a_cell_outside_of_the_run_is_not_read(run, folder):
    saved.save(run)
    path = folder / "run.json"
    data = json.loads(path.read_text())
    data["run"]["cells"][0]["label"] = "../../x"
    path.write_text(json.dumps(data))

    with pytest.raises(RunError, match="is outside the run directory"):
        RunResults.read(folder)
