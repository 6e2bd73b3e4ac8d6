"""Which cells run next; what they decide is made up here."""

import pytest

from alharness.api.records import Cell, CycleRecord, Look, Outcome, Plan, Schedule, Stopping
from alharness.runs import journal
from alharness.runs.rounds import Rounds, blocks


def cell(label, seed):
    return Cell(label=label, sampler=label, params={}, distribution="d==1", seed=seed, key=f"{label}{seed}")


SEEDS = (7, 3, 5, 1, 9)
CELLS = [cell(label, seed) for seed in SEEDS for label in ("random", "a")]


@pytest.fixture
def plan(tmp_path):
    schedule = Schedule(initial_pool=3, sizes=(1,))
    return Plan(
        name="x",
        experiment="x-1",
        folder=tmp_path,
        schedule=schedule,
        pool=9,
        cells=tuple(CELLS),
        stopping=Stopping(at_least=3, block=1),
    )


FACTS = dict.fromkeys(SEEDS)


def ended(*cells, status="ok"):
    return {cell: Outcome(cell=cell, status=status) for cell in cells}


def finish(plan, cell):
    book = journal.Journal(plan.folder / "cells" / cell.folder, {}, 1, (3, 4))
    for number in (0, 1):
        chosen = ("x",) if number == 0 else ()
        book.append(CycleRecord(cycle=number, labeled=3 + number, metrics={"f1": 0.5}, chosen=chosen))


def test_cells_are_cut_into_the_blocks_of_the_looks(plan):
    assert [[c.seed for c in block] for block in blocks(plan, CELLS)] == [[7, 7, 3, 3, 5, 5], [1, 1], [9, 9]]
    assert blocks(plan, CELLS[7:]) == [CELLS[7:8], CELLS[8:]]
    assert blocks(plan, []) == []


def test_what_is_needed_and_has_not_ended_runs_next(plan):
    seen = []

    def judge(run, records):
        assert run is plan
        seen.append({record.cell.name: record.status for record in records})
        return Look(needed=frozenset(CELLS[:4]))

    finish(plan, CELLS[0])
    rounds = Rounds(plan, CELLS[1:], judge, FACTS, list, print)
    assert rounds.next({}) == CELLS[1:4]
    assert rounds.next(ended(CELLS[1]) | ended(CELLS[2], status="failed")) == [CELLS[3]]
    assert (seen[0]["random-s7"], seen[0]["a-s7"]) == ("ok", "pending")
    assert (seen[1]["a-s7"], seen[1]["random-s3"], seen[1]["a-s3"]) == ("ok", "failed", "pending")


def test_everything_runs_at_once_if_nothing_is_judged(plan):
    rounds = Rounds(plan, CELLS[1:], None, FACTS, list, print)
    assert rounds.next({}) == CELLS[1:]
    assert rounds.next(ended(*CELLS[1:])) == []
    assert (rounds.waits_for, rounds.spared(ended(*CELLS, status="pending"))) == ([], {})


def test_seeds_are_drawn_when_they_are_needed(plan):
    looks = iter([CELLS[:2], CELLS[:6], CELLS[:6]])
    drawn = []

    def draw(seeds):
        drawn.append(seeds)
        return dict.fromkeys(seeds, "facts")

    rounds = Rounds(plan, CELLS, lambda _, __: Look(needed=frozenset(next(looks))), {7: "known"}, draw, print)
    for _ in range(3):
        rounds.next({})
    assert drawn == [[3, 5]]
    assert rounds.seeds == {7: "known", 3: "facts", 5: "facts"}


def test_what_no_look_needs_any_more_is_spared(plan):
    over = iter([False, True])
    rounds = Rounds(
        plan, CELLS, lambda _, __: Look(needed=frozenset(CELLS[:6]), over=next(over)), FACTS, list, print
    )
    outcomes = (
        ended(*CELLS[:4]) | ended(CELLS[6], status="failed") | ended(*CELLS[4:6], *CELLS[7:], status="pending")
    )
    rounds.next({})
    assert rounds.spared(outcomes) == {}
    rounds.next({})
    assert {cell: one.status for cell, one in rounds.spared(outcomes).items()} == dict.fromkeys(
        CELLS[7:], "spared"
    )


def test_a_cell_that_begins_again_is_pending_although_it_is_complete(plan):
    finish(plan, CELLS[0])
    rounds = Rounds(
        plan,
        CELLS,
        lambda _, records: Look(lines=(records[0].status,), needed=frozenset(CELLS)),
        FACTS,
        list,
        print,
    )
    assert rounds.next({})[0] == CELLS[0]
    assert rounds.look.lines == ("pending",)


def test_what_is_decided_is_said_once(plan):
    said = iter([("a",), ("a", "b"), ("a", "b")])
    heard = []
    rounds = Rounds(plan, CELLS, lambda _, __: Look(lines=next(said)), FACTS, list, heard.append)
    for _ in range(3):
        rounds.next({})
    assert [look.lines for look in heard] == [("a",), ("b",), ()]


def test_cells_that_others_must_run_are_named(plan):
    rounds = Rounds(plan, CELLS[1::2], lambda _, __: Look(needed=frozenset(CELLS[:4])), FACTS, list, print)
    rounds.next({})
    finish(plan, CELLS[0])
    assert rounds.waits_for == ["random-s3"]
