"""Shares and comparison, on small made-up journals whose sums can be done in the head."""

import copy
import json

import pytest

from benchmarks import journals

START = 1_700_000_000_000


def header(at, seed=0):
    return {"format": 1, "context": {"seed": seed}, "measured": {"at": at, "sha256": "a"}}


def cycle(number, at, **cost):
    return {
        "cycle": number,
        "metrics": {"mae": 0.5 + number},
        "chosen": [f"id{number}"],
        "measured": {"cost": cost, "at": at, "sha256": "b"},
    }


@pytest.fixture
def run():
    """10 s and 10 s: 8 + 1 + 4 s of fits, 0.5 s of evaluation, 5 s of queries, and 1.5 s of something else."""
    return {
        "a-s0": [
            header(START),
            cycle(0, START + 8500, train_seconds=8.0, evaluate_seconds=0.2, query_seconds=0.2),
            cycle(1, START + 10_000, train_seconds=1.0, evaluate_seconds=0.1),
        ],
        "b-s0": [
            header(START + 10_000),
            cycle(0, START + 15_500, train_seconds=8.0, train_reused=1.0, evaluate_seconds=0.1, query_seconds=4.8),
            cycle(1, START + 20_000, train_seconds=4.0, evaluate_seconds=0.1),
        ],
    }


def test_shares_of_all_cells_together(run):
    found = journals.shares(run)
    assert found.total == 20.0
    assert (found.fit, found.evaluate, found.query) == pytest.approx((13.0, 0.5, 5.0))
    assert found.outside == pytest.approx(1.5)
    assert found.text == "fit 65 %, evaluate 2 %, query 25 %, outside 7.5 %"
    assert journals.began(run) == START


def test_cells_of_one_process_may_take_turns(run):
    first, _ = run.values()
    for line in first:
        line["measured"]["at"] += 8000  # its cells begin and end within those of the other
    found = journals.shares(run)
    assert found.total == 12.0


def test_of_two_processes_each_second_counts_twice(run):
    assert journals.shares(run, processes=2).total == 40.0


def test_without_seconds_of_evaluation_they_are_outside(run):
    for lines in run.values():
        for line in lines[1:]:
            del line["measured"]["cost"]["evaluate_seconds"]
    assert journals.shares(run).evaluate == 0
    assert journals.shares(run).outside == pytest.approx(2.0)


@pytest.mark.parametrize(("percent", "verdict"), [(8, "met"), (7.4, "FAIL")])
def test_little_outside(run, percent, verdict):
    bound = journals.little_outside(journals.shares(run), percent)
    assert (bound.verdict, bound.found) == (verdict, "7.5 %")


def test_parts_that_are_longer_than_the_whole_are_told(run):
    run["b-s0"][1]["measured"]["cost"]["train_reused"] = 0.0
    bound = journals.little_outside(journals.shares(run), 3)
    assert (bound.verdict, bound.found) == ("FAIL", "-32 %")


def test_runs_that_differ_in_times_only_are_the_same(run):
    other = copy.deepcopy(run)
    other["a-s0"][0]["measured"] = {"at": 5, "sha256": "other"}
    other["b-s0"][2]["measured"] = {"at": 9, "cost": {}}
    bound = journals.same(run, other)
    assert (bound.verdict, bound.found) == ("met", "2 of 2 cells")


def test_another_metric_is_told(run):
    other = copy.deepcopy(run)
    other["b-s0"][2]["metrics"]["mae"] += 1e-9
    bound = journals.same(run, other)
    assert (bound.verdict, bound.found) == ("FAIL", "1 of 2 cells; b-s0, line 3: metrics differ")


def test_another_context_and_a_field_that_only_one_has_are_told(run):
    other = copy.deepcopy(run)
    other["a-s0"][0]["context"]["seed"] = 1
    assert journals.same(run, other).found == "1 of 2 cells; a-s0, line 1: context differ"
    other = copy.deepcopy(run)
    other["a-s0"][1]["scores"] = []
    assert journals.same(run, other).found == "1 of 2 cells; a-s0, line 2: scores differ"


def test_a_missing_cell_is_told_on_either_side(run):
    fewer = {"a-s0": run["a-s0"]}
    for sides in ((run, fewer), (fewer, run)):
        bound = journals.same(*sides)
        assert (bound.verdict, bound.found) == ("FAIL", "1 of 2 cells; b-s0 is in one run only")


def test_a_missing_cycle_is_told(run):
    fewer = {**run, "b-s0": run["b-s0"][:2]}
    assert journals.same(run, fewer).found == "1 of 2 cells; b-s0 has 3 lines and 2"


def test_two_runs_that_wrote_nothing_are_not_the_same():
    assert journals.same({}, {}).verdict == "FAIL"


def test_journals_are_found_where_runs_put_them(tmp_path, run):
    for cell, lines in run.items():
        folder = tmp_path / "made-up-0123" / "cells" / cell
        folder.mkdir(parents=True)
        (folder / "journal.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert journals.read(tmp_path) == run
