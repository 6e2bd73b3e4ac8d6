"""Measuring queries again replaces their times and nothing else."""

import json
from dataclasses import replace

import pytest

from alharness.runs import journal


def books(workdir):
    return {
        path.parent.name: [json.loads(line) for line in path.read_text().splitlines()]
        for path in sorted(workdir.glob("*/cells/*/journal.jsonl"))
    }


@pytest.fixture
def shared(write_spec, run_spec, tmp_path):
    """A run whose queries were measured while others were running; gives spec and journals."""
    path = write_spec(samplers="[slow, narrow]", seeds="[0, 1]")
    path.write_text(path.read_text() + "reference: {full_data: true}\n")
    run_spec(path, tmp_path, jobs=2)
    return path, books(tmp_path)


def test_only_times_of_queries_are_replaced(shared, run_spec, tmp_path):
    path, before = shared
    run, record, _ = run_spec(path, tmp_path, retime=True)
    after = books(tmp_path)
    assert {cell.status for cell in record.cells} == {"ok"}
    assert before.keys() == after.keys()
    changed = set()
    for name, old in before.items():
        for number, (was, now) in enumerate(zip(old, after[name], strict=True)):
            was_measured, is_measured = was.pop("measured"), now.pop("measured")
            assert was == now
            assert was_measured["at"] == is_measured["at"]
            if number:
                expected = "shared" if name.startswith("full-data") else "exclusive"
                assert is_measured["timing"] == expected
                costs = was_measured["cost"], is_measured["cost"]
                assert costs[0].keys() == costs[1].keys()
                changed |= {key for key in costs[0] if costs[0][key] != costs[1][key]}
    assert {"query_seconds", "query_selection_seconds"} <= changed
    assert all(key.startswith("query_") and key.endswith("seconds") for key in changed)
    assert run.finished["full-data-s0"] == 1
    assert run.finished["slow-s0"] == 0


@pytest.mark.slow
def test_cells_that_are_exclusive_already_wait_until_all_are(shared, run_spec, tmp_path):
    path, _ = shared
    run_spec(path, tmp_path, retime=True, only=("slow",))
    slow = {name: lines for name, lines in books(tmp_path).items() if "slow" in name}
    run, _, _ = run_spec(path, tmp_path, retime=True)
    assert [name for name, done in run.finished.items() if not done] == ["narrow-s0", "narrow-s1"]
    assert {name: books(tmp_path)[name] for name in slow} == slow
    run, _, _ = run_spec(path, tmp_path, retime=True)
    assert [done for name, done in run.finished.items() if "full" not in name] == [0] * 4
    assert all(books(tmp_path)[name] != lines for name, lines in slow.items())


def test_an_unfinished_cell_is_left_alone_and_told(write_spec, run_spec, tmp_path):
    path = write_spec(samplers="[first, slow]", seeds="[0]")
    run_spec(path, tmp_path, only=("first",))
    before = books(tmp_path)
    _, record, warnings = run_spec(path, tmp_path, retime=True)
    assert [cell.status for cell in record.cells] == ["ok", "pending"]
    assert "1 cells are not finished" in warnings[-1]
    assert before.keys() == books(tmp_path).keys()


def test_a_query_that_chooses_others_is_told_and_nothing_is_replaced(shared, run_spec, tmp_path):
    path, _ = shared
    (book,) = tmp_path.glob("*/cells/slow-s0-*/journal.jsonl")
    header, cycles = journal.read(book)
    cycles[1] = replace(cycles[1], chosen=cycles[1].chosen[::-1])
    found = journal.Journal(book.parent, header.context, 0)
    found.replace(cycles)
    before = books(tmp_path)
    _, record, _ = run_spec(path, tmp_path, retime=True, only=("slow-s0",))
    failed = next(cell for cell in record.cells if cell.cell.name == "slow-s0")
    assert failed.status == "failed"
    assert "cycle 1 chose other samples than it did when the run was made" in failed.error
    assert books(tmp_path) == before
