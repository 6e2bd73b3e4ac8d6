import json
import math
import re
import shutil
from dataclasses import replace

import pytest

from alharness import cli
from alharness.api.records import Cell, CycleRecord, Outcome, Plan, Schedule
from alharness.runs import saved
from alharness.runs.journal import Journal

CONTEXT = {
    "data": "d",
    "split": {"train": "t"},
    "initial_pool": "p",
    "device": "cpu",
    "versions": {"torch": "2.9"},
}


def cycles(**changes):
    """Three cycles, of which two query."""
    known = {"chosen": [("a", "b"), ("c", "d"), ()], "f1": [0.5, 0.6, 0.7], "seconds": [1.0, 1.0, None]} | changes
    return [
        CycleRecord(
            cycle=c,
            labeled=2 + 2 * c,
            metrics={"f1": known["f1"][c]},
            chosen=known["chosen"][c],
            cost={} if seconds is None else {"query_seconds": seconds, "cpu_peak_increase_mib": 5.0},
        )
        for c, seconds in enumerate(known["seconds"])
    ]


@pytest.fixture
def write(tmp_path):
    """A run directory of `margin` and `random` with two seeds each; `changed` maps names of cells to cycles."""

    def build(name, changed=None, context=CONTEXT, ended=(), labels=("margin", "random"), params=None):
        folder = tmp_path / name
        folder.mkdir()
        cells = tuple(
            Cell(label=n, sampler=n, params=params or {}, distribution=f"{n}==1", seed=seed, key=f"{n}{seed}")
            for seed in (0, 1)
            for n in labels
        )
        for cell in cells:
            book = Journal(folder / "cells" / cell.folder, context, now=1)
            for record in (changed or {}).get(cell.name, cycles()):
                book.append(record)
        run = Plan(
            name="demo",
            experiment="demo-1",
            folder=folder,
            schedule=Schedule(initial_pool=2, sizes=(2, 2)),
            pool=9,
            cells=cells,
            metric="f1",
        )
        failures = [Outcome(cell=c, status="failed", error="it [b]broke\x1b") for c in cells if c.name in ended]
        saved.save(run, failures)
        return folder

    return build


@pytest.fixture
def compare(capsys):
    def start(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main(["compare", *map(str, arguments)])
        captured = capsys.readouterr()
        return caught.value.code, captured.out, captured.err

    return start


def rows(out):
    """First word -> the other cells of its line in the table."""
    lines = (re.split(r"\s{2,}", line.strip()) for line in out.splitlines())
    return {name: cells for name, *cells in lines if len(cells) > 3}


PARTED = {"margin-s1": cycles(chosen=[("a", "b"), ("d", "e"), ()], f1=[0.5, 0.6, 0.4])}


def test_a_damaged_pool_is_in_nobodys_way(write, compare):
    old, new = write("old"), write("new")
    (new / "pool.npz").write_bytes(b"no archive")
    code, out, _ = compare(old, new)
    assert code == 0
    assert "Nothing changed" in out


def test_nothing_changed(write, compare):
    old, new = write("old"), write("new")
    code, out, err = compare(old, new)

    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"OLD {old}, NEW {new}"
    assert rows(out)["margin"] == ["unchanged", "2", "same", "same", "×1", "5.0 → 5.0"]
    assert out.splitlines()[-1] == "Nothing changed: 4 cells chose the same samples and have the same metrics."


def test_other_selections(write, compare):
    code, out, _ = compare(write("old"), write("new", PARTED))

    assert code == 1
    found = rows(out)
    assert found["margin"][:4] == ["changed", "2", "differ from cycle 1 in 1 of 2", "same until then"]
    assert found["random"][0] == "unchanged"
    assert (
        "margin, seed 1: the query of cycle 1 chose otherwise (1 of 2 ids in common), metrics are the same until "
        "then; all from cycle 2 on follows from the selections\n"
    ) in out
    assert "margin: f1 after the last cycle was 0.7 and is 0.55, mean of 2 seeds\n" in out
    assert out.splitlines()[-1] == "1 of 2 changed: margin."


def test_another_order(write, compare):
    other = {"margin-s0": cycles(chosen=[("b", "a"), ("c", "d"), ()])}

    assert (
        "seed 0: the query of cycle 0 chose otherwise (the same ids in another order)"
        in compare(write("old"), write("new", other))[1]
    )


def test_other_metrics(write, compare):
    code, out, _ = compare(write("old"), write("new", {"margin-s0": cycles(f1=[0.5, 0.58, 0.5])}))

    assert code == 1
    assert rows(out)["margin"][2:4] == ["same", "differ: f1"]
    assert (
        "margin, seed 0: metrics differ from cycle 1 on, though both models had the same labels there, so "
        "training or evaluation changed; the most: f1 0.7 → 0.5 (-0.2) in cycle 2\n"
    ) in out


def test_a_metric_that_is_gone(write, compare):
    gone = cycles()
    gone[1] = replace(gone[1], metrics={})
    _, out, _ = compare(write("old"), write("new", {"margin-s0": gone}))

    assert "margin, seed 0: metrics differ from cycle 1 on" in out
    assert "the most: f1 is missing in NEW in cycle 1\n" in out


def test_selections_may_follow_from_metrics(write, compare):
    other = {"margin-s0": cycles(f1=[0.1, 0.6, 0.7], chosen=[("a", "b"), ("x", "y"), ()])}

    assert (
        "(0 of 2 ids in common), which may follow from the metrics' change;"
        in compare(write("old"), write("new", other))[1]
    )


def test_slower_queries(write, compare):
    slow = {f"margin-s{seed}": cycles(seconds=[2.0, 2.0 + seed, None]) for seed in (0, 1)}
    old, new = write("old"), write("new", slow)
    code, out, _ = compare(old, new)

    assert code == 1
    assert rows(out)["margin"][4] == "×2.25, slower"
    assert "margin: queries are slower, by more than ×1.5 in every seed: ×2 in seed 0, ×2.5 in seed 1\n" in out
    assert compare(old, new, "--slower", "3")[0] == 0


def test_times_that_were_not_judged_say_why_once(write, compare):
    quick = {f"{n}-s{seed}": cycles(seconds=[0.001, 0.001, None]) for n in ("margin", "random") for seed in (0, 1)}
    _, out, _ = compare(write("old", quick), write("new", quick))

    assert rows(out)["margin"][4] == "–"
    assert (
        "Query times of margin, random were not compared: all queries of a cell take less than 0.05 s\n"
    ) in out


def test_a_cell_that_failed(write, compare):
    code, out, _ = compare(write("old"), write("new", {"margin-s1": cycles()[:1]}, ended=("margin-s1",)))

    assert code == 1
    assert rows(out)["margin"][1] == "1 of 2"
    assert "margin, seed 1: finished in OLD and not in NEW: failed after 1 cycle: it [b]broke\\x1b\n" in out


def test_a_sampler_that_is_new(write, compare):
    code, out, _ = compare(write("old", labels=("margin",)), write("new", params={"k": 5}))

    assert code == 0
    assert rows(out)["random"][:2] == ["not compared", "0 of 2"]
    assert "random, seeds 0, 1: not compared: only in NEW\n" in out
    assert "margin: k was unset and is 5\n" in out
    assert out.splitlines()[-1].endswith("have the same metrics; not compared: random.")


def test_nothing_to_compare(write, compare):
    code, out, _ = compare(write("old", labels=("margin",)), write("new", labels=("random",)), "--only", "random")

    assert code == 1
    assert out.splitlines()[-1] == "Nothing could be compared: no cell is finished in both runs."


def test_a_note_on_the_conditions(write, compare):
    new = write("new", context=CONTEXT | {"versions": {"torch": "2.10"}})

    assert "note: versions.torch was 2.9 and is 2.10; the last bits" in compare(write("old"), new)[1]


def test_a_tolerance(write, compare):
    old, new = write("old"), write("new", {"margin-s0": cycles(f1=[0.5, 0.6, 0.7001])})
    code, out, _ = compare(old, new, "--tolerance", "0.001")

    assert code == 0
    assert "same metrics within 0.001." in out
    assert compare(old, new)[0] == 1


def test_json(write, compare):
    undefined = {"margin-s0": cycles(f1=[math.nan, 0.6, 0.7])}
    old, new = write("old"), write("new", PARTED | undefined)
    code, out, _ = compare(old, new, "--json")

    found = json.loads(out, parse_constant=pytest.fail)
    assert code == 1
    assert (found["verdict"], found["old"], found["new"]) == ("changed", str(old), str(new))
    margin, random = found["samplers"]
    assert (margin["label"], margin["verdict"], random["verdict"]) == ("margin", "changed", "unchanged")
    first, second = margin["pairs"]
    assert first["differences"] == [{"metric": "f1", "first": 0, "cycle": 0, "old": 0.5, "new": None}]
    assert (second["verdict"], second["parting"]) == ("changed", {"cycle": 1, "size": 2, "common": 1})
    assert margin["time"]["ratio"] == 1


def test_json_of_nothing_changed(write, compare):
    code, out, _ = compare(write("old"), write("new"), "--json")

    assert (code, json.loads(out)["verdict"]) == (0, "unchanged")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "magrin"], "--only magrin: neither run has such a sampler; did you mean 'margin'?"),
        (["--tolerance", "-1"], "-1.0 is not in the range x>=0"),
        (["--slower", "0.5"], "0.5 is not in the range x>=1"),
        (["--tolerance", "nan"], "nan would let everything pass"),
        (["--slower", "nan"], "nan would let everything pass"),
    ],
)
def test_misuse(write, compare, arguments, message):
    code, out, err = compare(write("old"), write("new"), *arguments)

    assert (code, out) == (2, "")
    assert message in err


def test_runs_on_other_data(write, compare):
    code, out, err = compare(write("old"), write("new", context=CONTEXT | {"data": "e"}))

    assert (code, out) == (1, "")
    assert "they differ in data (of margin-s0)" in err


def test_what_is_no_run_directory(write, compare, tmp_path):
    write("new")
    code, _, err = compare(tmp_path, tmp_path / "new")

    assert code == 1
    assert f"error: {tmp_path}: is no run directory; in it are: {tmp_path / 'new'}" in err


@pytest.fixture
def folders(write, tmp_path):
    """Two folders with runs of the same names: `a` and `b`, of which one changed."""
    for folder in ("before", "after"):
        (tmp_path / folder).mkdir()
        for name in ("a", "b"):
            changed = PARTED if (folder, name) == ("after", "b") else None
            run = write(f"{folder}/{name}-1a2b3c4d", changed)
            plan, _ = saved.load(run)
            saved.save(replace(plan, name=name))
    return tmp_path / "before", tmp_path / "after"


def test_runs_of_two_folders_are_compared_by_their_names(folders, compare):
    code, out, _ = compare(*folders)

    assert code == 1
    assert re.findall(r"OLD \S*/(\S+), NEW \S*/(\S+)", out) == [("a-1a2b3c4d",) * 2, ("b-1a2b3c4d",) * 2]
    assert out.count("Nothing changed") == 1
    assert out.count("1 of 2 changed: margin") == 1


def test_json_of_two_folders_is_a_list(folders, compare):
    found = json.loads(compare(*folders, "--json")[1])

    assert [one["verdict"] for one in found] == ["unchanged", "changed"]


def test_a_run_without_a_partner_is_named(folders, compare):
    before, after = folders
    shutil.rmtree(after / "b-1a2b3c4d")

    code, _, err = compare(before, after)

    assert code == 1
    assert f"{after}: has no run of 'b', to compare with {before}/b-1a2b3c4d; name two run directories" in err


def test_runs_that_only_the_new_folder_has_are_left_out(folders, compare):
    before, after = folders
    shutil.rmtree(before / "b-1a2b3c4d")

    assert compare(before, after)[0] == 0
