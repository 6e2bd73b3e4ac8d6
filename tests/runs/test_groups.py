"""How cells are cut into groups."""

from pathlib import Path

import pytest

from alharness.api.records import Cell, Plan, Schedule
from alharness.runs.groups import cut, stack_size


def plan(seeds=5, samplers=5, references=True, pool=1000, **more):
    def cell(label, seed, **kind):
        return Cell(
            label=label, sampler=label, params={}, distribution="", seed=seed, key=f"{label}{seed}", **kind
        )

    cells = []
    for seed in range(seeds):
        cells += [cell("abcde"[number], seed) for number in range(samplers)]
        cells += [cell("full-data", seed, reference=True)] if references else []
    return Plan(
        name="x",
        experiment="x-1",
        folder=Path("x"),
        schedule=Schedule(initial_pool=10, sizes=(10, 10)),
        pool=pool,
        cells=tuple(cells),
        **more,
    )


def sizes(plan, stack=None, cells=None):
    return [len(group) for group in cut(plan, plan.cells if cells is None else cells, stack)]


def test_with_one_worker_all_cells_train_together_and_references_after_them():
    groups = cut(plan(), plan().cells, None)
    assert [[cell.reference for cell in group] for group in groups] == [[False] * 25, [True] * 5]


def test_two_workers_share_the_work_evenly_and_seeds_stay_together():
    groups = cut(plan(jobs=2), plan().cells, None)
    assert [len(group) for group in groups] == [13, 12, 3, 2]
    assert [{cell.seed for cell in group} for group in groups] == [{0, 1, 2}, {2, 3, 4}, {0, 1, 2}, {3, 4}]


@pytest.mark.parametrize(("jobs", "expected"), [(2, [18, 7, 5]), (3, [12, 12, 1, 5])])
def test_references_train_together_and_their_worker_has_fewer_of_the_other_cells(jobs, expected):
    assert sizes(plan(jobs=jobs, pool=82)) == expected


def test_validation_is_work_too():
    # It adds as much to each training: to the one of a reference, and to the three of each other cell.
    assert sizes(plan(jobs=2, pool=82)) == [18, 7, 5]
    assert sizes(plan(jobs=2, pool=82, valid=300)) == [15, 10, 5]


def test_in_several_rounds_references_are_shared_among_all_workers():
    *own, first, second = sizes(plan(seeds=50, jobs=2, pool=82))
    assert (first, second) == (25, 25)
    assert set(own) == {31, 32}


def test_no_worker_waits_for_references_on_many_labels():
    assert sizes(plan(jobs=30)) == [1] * 30


def test_references_alone_are_shared_among_the_workers():
    whole = plan(jobs=2)
    assert sizes(whole, cells=[cell for cell in whole.cells if cell.reference]) == [3, 2]


@pytest.mark.parametrize(
    ("stack", "jobs", "expected"),
    [
        (1, 1, [1] * 25),
        (1, 2, [1] * 25),
        (7, 1, [6, 6, 7, 6]),
        (7, 2, [6, 6, 7, 6]),
        (25, 1, [25]),
        (24, 1, [13, 12]),
        (1000, 3, [8, 9, 8]),
        (None, 30, [1] * 25),
    ],
)
def test_groups_are_even_and_have_no_more_cells_than_a_stack(stack, jobs, expected):
    assert sizes(plan(references=False, jobs=jobs), stack) == expected


def test_by_itself_a_group_has_as_many_cells_as_are_of_use_on_the_device():
    many = plan(seeds=60, references=False)
    assert sizes(many) == [30] * 10
    on_gpu = plan(seeds=60, references=False, params={"device": "cuda"})
    assert sizes(on_gpu) == [150] * 2


def test_what_is_finished_is_no_work():
    half_done = plan(seeds=2, references=False, jobs=2, finished={f"{label}-s0": 2 for label in "abcde"})
    assert sizes(half_done) == [6, 4]  # 5 x 30 + 60, and 4 x 60 labels


def test_no_cells_are_no_groups():
    assert sizes(plan(), cells=()) == []


@pytest.mark.parametrize(("said", "meant"), [("auto", None), ("7", 7), (1, 1), (None, None)])
def test_a_stack_is_a_number_or_auto(said, meant):
    assert stack_size(said) == meant


@pytest.mark.parametrize("said", ["0", 0, "-1", "1.5", 1.5, "many", "", [3], True - 1])
def test_other_stacks_are_refused_with_what_to_write(said):
    with pytest.raises(ValueError, match="expected a whole number from 1 on, or auto, but it is"):
        stack_size(said)
