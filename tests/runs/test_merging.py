"""Run directories that become one; whole runs are in tests/integration/test_shards.py."""

import json

import pytest

from alharness.api.records import Cell, CycleRecord, Outcome, Plan, Schedule
from alharness.errors import DataError, RunError, SpecError
from alharness.runs import saved
from alharness.runs.claims import Claims
from alharness.runs.directory import RunDirectory
from alharness.runs.journal import Journal
from alharness.runs.merging import merge

SPEC = """\
dataset: {name: digits, params: {}}
model: {name: late_fusion, params: {}}
training: {epochs: 3}
active_learning: {initial_pool: 3, budget: 1, cycles: 1}
seeds: 2
samplers:
- {name: random, label: random, params: {}}
- {name: grace, label: grace, params: {}}
"""
CONTEXT = {
    "data": "d1",
    "device": "cpu",
    "versions": {"torch": "2.9"},
    "split": {"train": "s"},
    "initial_pool": "p",
    "sampler": "any",
}


def cell(label, seed, version="1.0"):
    key = f"{label}{seed}{version}" * 3
    return Cell(label=label, sampler=label, params={}, distribution=f"{label}=={version}", seed=seed, key=key)


CELLS = [cell(label, seed) for seed in (0, 1) for label in ("random", "grace")]


@pytest.fixture
def run(tmp_path):
    """A run directory in which these cells have cycles; with another context, or a metric, if they are given."""

    def make(place, cycles, *, cells=CELLS, context=(), f1=0.5, spec=SPEC, experiment="x-1", ended=()):
        folder = tmp_path / place / experiment
        folder.mkdir(parents=True)
        plan = Plan(
            name="x",
            experiment=experiment,
            folder=folder,
            schedule=Schedule(initial_pool=3, sizes=(1,)),
            pool=9,
            cells=tuple(cells),
            spec_text=spec,
            environment={"alharness": "0.1"},
        )
        for one, count in cycles.items():
            book = Journal(folder / "cells" / one.folder, CONTEXT | dict(context), 1)
            for number in range(count):
                chosen = ("a",) if number == 0 else ()
                book.append(CycleRecord(cycle=number, labeled=3 + number, metrics={"f1": f1}, chosen=chosen))
        saved.save(plan, ended)
        return folder

    return make


@pytest.fixture
def join(tmp_path):
    """Merge; gives the run directory, how many cells are complete, and the warnings."""

    def start(target, *sources):
        told = []
        (merged,) = merge(tmp_path / target, sources, told.append)
        return merged, told

    return start


def lines(folder):
    return {path.parent.name: path.read_text() for path in folder.glob("cells/*/journal.jsonl")}


def test_cells_that_were_made_apart_are_together(run, join, tmp_path):
    one, two = run("one", {CELLS[0]: 2, CELLS[1]: 2}), run("two", {CELLS[2]: 2, CELLS[3]: 1})
    merged, told = join("all", one, two)
    assert (merged.folder, merged.complete, merged.cells) == (tmp_path / "all" / "x-1", 3, 4)
    assert merged.copied == {one: 2, two: 2}
    assert lines(merged.folder) == lines(one) | lines(two)
    plan, outcomes = saved.load(merged.folder)
    assert [outcome.status for outcome in outcomes] == ["ok", "ok", "ok", "pending"]
    assert plan.cells == tuple(CELLS)
    assert told == []


def test_it_can_be_repeated_and_then_copies_what_is_new(run, join):
    one, two = run("one", {CELLS[0]: 2}), run("two", {CELLS[1]: 1})
    join("all", one, two)
    assert join("all", one, two)[0].copied == {}
    book = Journal(two / "cells" / CELLS[1].folder, CONTEXT, 1)
    book.append(CycleRecord(cycle=1, labeled=4, metrics={"f1": 0.5}))
    merged, _ = join("all", one, two)
    assert (merged.copied, merged.complete) == ({two: 1}, 2)


def test_folders_of_runs_are_merged_setting_by_setting(run, tmp_path):
    for place, number in (("one", 0), ("two", 1)):
        run(place, {CELLS[number]: 2})
        run(place, {CELLS[number]: 2}, experiment="y-2")
        for path in tmp_path.glob("*/y-2/run.json"):
            path.write_text(path.read_text().replace('"name": "x"', '"name": "y"'))
    found = merge(tmp_path / "all", [tmp_path / "one", tmp_path / "two"], pytest.fail)
    assert [(merged.folder.name, merged.complete) for merged in found] == [("x-1", 2), ("y-2", 2)]


def test_runs_with_other_seeds_and_samplers_become_one_with_all(run, join):
    third = cell("badge", 5)
    more = SPEC.replace("seeds: 2", "seeds: [5]").replace("random", "badge").replace("grace", "badge2")
    one = run("one", dict.fromkeys(CELLS, 2))
    two = run("two", {third: 2}, cells=[third], spec=more)
    merged, _ = join("all", one, two)
    plan, _ = saved.load(merged.folder)
    assert plan.cells == (*CELLS, third)
    assert "seeds:\n- 0\n- 1\n- 5\n" in plan.spec_text
    assert "label: badge\n" in plan.spec_text
    assert (merged.folder / "spec.yaml").read_text() == plan.spec_text


def test_how_cells_ended_comes_with_them(run, join):
    failed = Outcome(cell=CELLS[1], status="failed", error="it broke")
    one, two = run("one", {CELLS[0]: 2}), run("two", {CELLS[1]: 1}, ended=[failed])
    _, outcomes = saved.load(join("all", one, two)[0].folder)
    assert [(o.status, o.error) for o in outcomes[:2]] == [("ok", ""), ("failed", "it broke")]


@pytest.mark.parametrize(
    ("different", "kind", "said"),
    [
        ({"data": "d2"}, DataError, "data: d1 in {one}, d2 in {two} (1: grace-s0)"),
        ({"versions": {"torch": "2.8"}}, SpecError, "versions.torch: 2.9 in {one}, 2.8 in {two} (1: grace-s0)"),
        ({"device": "cuda"}, SpecError, "device: cpu in {one}, cuda in {two}"),
        ({"split": {"train": "t"}}, SpecError, "seed 0: split.train: s in {one}, t in {two}"),
    ],
)
def test_other_conditions_are_refused_and_named(run, join, tmp_path, different, kind, said):
    one, two = run("one", {CELLS[0]: 2}), run("two", {CELLS[1]: 2}, context=different)
    with pytest.raises(kind) as refused:
        join("all", one, two)
    assert said.format(one=one, two=two) in str(refused.value)
    assert not (tmp_path / "all").exists()


def test_another_setting_is_refused_and_named(run, join):
    one = run("one", {CELLS[0]: 2})
    two = run("two", {CELLS[1]: 2}, spec=SPEC.replace("epochs: 3", "epochs: 4"), experiment="x-2")
    with pytest.raises(SpecError) as refused:
        join("all", one, two)
    assert f"training.epochs: 3 in {one}, 4 in {two}" in str(refused.value)


def test_another_version_of_a_sampler_is_refused_and_named(run, join):
    one = run("one", {CELLS[0]: 2})
    newer = cell("random", 0, "1.1")
    two = run("two", {newer: 2}, cells=[newer])
    with pytest.raises(SpecError, match=r"random: distribution: random==1\.0 in .*, random==1\.1 in "):
        join("all", one, two)


def test_a_cell_that_two_have_must_be_the_same(run, join):
    one, two = run("one", {CELLS[0]: 1}), run("two", {CELLS[0]: 2}, f1=0.6)
    with pytest.raises(SpecError, match="random-s0: metrics of cycle 0 in "):
        join("all", one, two)


def test_the_further_one_of_a_cell_is_taken(run, join):
    one, two = run("one", {CELLS[0]: 1}), run("two", {CELLS[0]: 2})
    merged, _ = join("all", one, two)
    assert merged.copied == {two: 1}
    assert merged.complete == 1


def test_a_damaged_journal_is_left_out_and_named(run, join):
    one, two = run("one", {CELLS[0]: 2}), run("two", {CELLS[1]: 2})
    (book,) = two.glob("cells/*/journal.jsonl")
    book.write_text(book.read_text().replace("0.5", "0.9", 1))
    merged, told = join("all", one, two)
    assert merged.copied == {one: 1}
    assert any(f"{book}:2" in text and "left out" in text for text in told)


def test_a_damaged_journal_is_named_also_if_another_run_has_the_cell(run, join):
    one, two = run("one", {CELLS[0]: 2}), run("two", {CELLS[0]: 2})
    (book,) = two.glob("cells/*/journal.jsonl")
    book.write_text(book.read_text().replace("0.5", "0.9", 1))
    merged, told = join("all", two, one)
    assert merged.copied == {one: 1}
    assert any(f"{book}:2" in text and f"That in {one} is taken" in text for text in told)


def test_a_damaged_journal_of_the_target_is_kept_under_another_name(run, join):
    one, two = run("one", {CELLS[0]: 2}), run("two", {CELLS[0]: 2})
    (book,) = one.glob("cells/*/journal.jsonl")
    book.write_text("rubbish\n{}\n")
    merged, _ = join("one", two)
    assert merged.complete == 1
    assert book.with_name("journal.jsonl.old-1").read_text() == "rubbish\n{}\n"


def test_links_are_not_followed(run, join, tmp_path):
    one = run("one", {CELLS[0]: 2})
    (tmp_path / "secret").write_text("secret")
    (one / "cells" / CELLS[0].folder / "output.txt").symlink_to(tmp_path / "secret")
    merged, _ = join("all", one)
    assert [path.name for path in merged.folder.glob("cells/*/*")] == ["journal.jsonl"]


def test_a_run_in_use_is_refused_and_its_process_named(run, join):
    one, two = run("one", {CELLS[0]: 2}), run("two", {CELLS[1]: 1})
    with Claims(RunDirectory(two), pytest.fail), pytest.raises(SpecError, match=r"process \d+ on .* works in it"):
        join("all", one, two)
    with Claims(RunDirectory(one), pytest.fail) as claims:
        claims.claim([CELLS[1]])
        with pytest.raises(SpecError, match="grace-s0: in use by process"):
            join("one", two)


def test_what_a_killed_process_left_does_not_count(run, join):
    one = run("one", {CELLS[0]: 2})
    left = one / "processes" / "1-abc"
    left.mkdir(parents=True)
    (left / "lock").touch()
    (left / "holder.json").write_text(json.dumps({"pid": 1, "host": "far", "cells": []}))
    assert join("all", one)[0].complete == 1


def test_a_run_is_not_merged_into_itself(run, join):
    one = run("one", {CELLS[0]: 2})
    with pytest.raises(SpecError, match="into itself"):
        join("one", one)


def test_a_folder_without_runs_is_refused(tmp_path, join):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match="empty: is no run directory"):
        join("all", tmp_path / "empty")


def test_a_run_of_the_same_name_next_to_it_is_mentioned(run, join, tmp_path):
    run("all", {CELLS[0]: 2}, spec=SPEC.replace("epochs: 3", "epochs: 4"), experiment="x-2")
    _, told = join("all", run("one", {CELLS[0]: 2}))
    assert "is kept apart from" in told[0]
    assert "training.epochs: 4 in" in told[0]


def test_stored_fits_come_along(run, join):
    one = run("one", {CELLS[0]: 2})
    (one / "fits").mkdir()
    (one / "fits" / "k.pt").write_bytes(b"fit")
    (one / "fits" / ".tmp-half").write_bytes(b"fi")
    merged, _ = join("all", one)
    assert [(path.name, path.read_bytes()) for path in merged.folder.glob("fits/*")] == [("k.pt", b"fit")]
