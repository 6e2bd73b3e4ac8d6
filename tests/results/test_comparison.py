import math
from dataclasses import replace
from pathlib import Path

import pytest

from alharness.api.records import Cell, CycleRecord, Outcome, Plan, Schedule, Skip, Stopping
from alharness.errors import RunError, SpecError
from alharness.results.comparison import compare
from alharness.results.run import RunResults

CONTEXT = {
    "data": "d1",
    "split": {"train": "t1"},
    "initial_pool": "p1",
    "device": "cpu",
    "versions": {"torch": "2.9", "numpy": "2.0"},
}
SPEC = "name: demo\nmodel: {name: late_fusion, params: {hidden: 64}}\ntraining: {epochs: 40}\nseeds: 2\n"


def cell(label="grace", seed=0, **changes):
    known = {
        "label": label,
        "sampler": label,
        "params": {"alpha": 1},
        "distribution": f"{label}==1.0",
        "seed": seed,
    }
    return Cell(**known | {"key": f"{label}{seed}"} | changes)


def finished(which):
    """Three cycles, of which two query: a0 a1 a2 in cycle 0, b0 b1 b2 in cycle 1."""
    if which.reference:
        return Outcome(cell=which, status="ok", cycles=(CycleRecord(cycle=0, labeled=9, metrics={"f1": 0.9}),))
    cycles = [
        CycleRecord(
            cycle=c,
            labeled=3 + 3 * c,
            metrics={"accuracy": 0.6, "f1": 0.5 + 0.1 * c},
            chosen=tuple(f"{'ab'[c]}{i}" for i in range(3)) if c < 2 else (),
            cost={"query_seconds": 1.0, "cpu_peak_increase_mib": 10.0 + c} if c < 2 else {},
        )
        for c in range(3)
    ]
    return Outcome(cell=which, status="ok", cycles=tuple(cycles))


@pytest.fixture
def make():
    """Results of cells, as they are or as `change` (a function of a record) leaves them."""

    def build(cells=None, change=lambda record: record, context=CONTEXT, folder="runs/x", **more):
        cells = tuple(cells or (cell(seed=seed) for seed in (0, 1)))
        known = {
            "name": "x",
            "experiment": "x",
            "folder": Path(folder),
            "pool": 9,
            "metric": "f1",
            "spec_text": SPEC,
        }
        known |= {"schedule": Schedule(initial_pool=3, sizes=(3, 3)), "environment": {"cpu": "z80", "cores": "2"}}
        records = tuple(replace(change(finished(which)), context=context) for which in cells)
        run = Plan(**known | {"cells": cells} | more)
        return RunResults(run=run, records=records)

    return build


def edit(cycle, *, seeds=(0, 1), label="grace", **changes):
    """Replaces fields of a cycle; metrics and costs are added to those that are there."""

    def change(record):
        if record.cell.label != label or record.cell.seed not in seeds:
            return record
        cycles = list(record.cycles)
        old = cycles[cycle]
        merged = {name: {**getattr(old, name), **changes[name]} for name in ("metrics", "cost") if name in changes}
        cycles[cycle] = replace(old, **changes | merged)
        return replace(record, cycles=tuple(cycles))

    return change


def both(*changes):
    def change(record):
        for one in changes:
            record = one(record)
        return record

    return change


def seconds(*values):
    """Of all queries of the cell of seed 0, 1, ..., halved between its two queries."""
    parts = [edit(c, seeds=(s,), cost={"query_seconds": v / 2}) for s, v in enumerate(values) for c in (0, 1)]
    return both(*parts)


def only(found):
    (sampler,) = found.samplers
    return sampler


def test_the_same_twice_is_unchanged(make):
    found = compare(make(), make())

    assert found.verdict == only(found).verdict == "unchanged"
    assert [(pair.seed, pair.verdict) for pair in only(found).pairs] == [(0, "unchanged"), (1, "unchanged")]
    assert found.notes == only(found).about == ()


def test_the_first_query_that_chose_otherwise_is_found(make):
    other = both(edit(1, seeds=(1,), chosen=("b0", "c1", "b1")), edit(2, seeds=(1,), metrics={"f1": 0.1}))
    found = only(compare(make(), make(change=other)))

    assert [pair.verdict for pair in found.pairs] == ["unchanged", "changed"]
    assert found.pairs[1].parting.cycle == 1
    assert (found.pairs[1].parting.common, found.pairs[1].parting.size) == (2, 3)
    assert found.pairs[1].differences == ()  # what follows from the selections is no second fault
    assert found.score == pytest.approx((0.7, 0.4))


def test_another_order_of_the_same_ids_is_a_change(make):
    found = only(compare(make(), make(change=edit(0, seeds=(0,), chosen=("a1", "a0", "a2")))))

    assert found.verdict == "changed"
    assert (found.pairs[0].parting.common, found.pairs[0].parting.size) == (3, 3)


def test_metrics_of_the_cycle_whose_query_parts_are_those_before_it(make):
    other = both(edit(1, seeds=(0,), chosen=("x", "y", "z")), edit(1, seeds=(0,), metrics={"f1": 0.61}))
    pair = only(compare(make(), make(change=other))).pairs[0]

    assert [(d.metric, d.first) for d in pair.differences] == [("f1", 1)]
    assert pair.parting.common == 0


def test_metrics_that_differ_alone_are_a_change_of_training(make):
    other = both(edit(1, seeds=(0,), metrics={"f1": 0.61}), edit(2, seeds=(0,), metrics={"f1": 0.4}))
    found = only(compare(make(), make(change=other)))

    assert found.verdict == "changed"
    (difference,) = found.pairs[0].differences
    assert (difference.metric, difference.first, difference.cycle) == ("f1", 1, 2)
    assert (difference.old, difference.new) == (pytest.approx(0.7), 0.4)
    assert found.pairs[0].parting is None


@pytest.mark.parametrize(("tolerance", "verdict"), [(0, "changed"), (0.009, "changed"), (0.011, "unchanged")])
def test_metrics_may_differ_by_the_tolerance(make, tolerance, verdict):
    new = make(change=edit(1, metrics={"accuracy": 0.61}))

    assert compare(make(), new, tolerance=tolerance).verdict == verdict


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        (math.nan, math.nan, "unchanged"),
        (math.inf, math.inf, "unchanged"),
        (math.nan, 0.5, "changed"),
        (0.5, math.nan, "changed"),
    ],
)
def test_an_undefined_metric_is_equal_to_another_and_to_nothing_else(make, old, new, verdict):
    before, after = (make(change=edit(1, metrics={"corr": value})) for value in (old, new))

    assert compare(before, after, tolerance=10).verdict == verdict


def test_a_metric_that_is_gone_is_a_change_and_a_new_one_is_not(make):
    first, second = edit(0, metrics={"corr": 0.5}), edit(1, metrics={"corr": 0.5})

    assert compare(make(), make(change=first)).verdict == "unchanged"
    assert compare(make(change=first), make(change=both(first, second))).verdict == "unchanged"
    (difference,) = only(compare(make(change=both(first, second)), make(change=first))).pairs[0].differences
    assert (difference.cycle, difference.old, difference.new) == (1, 0.5, None)


def broken(status="failed", left=1, error="it broke"):
    return lambda record: (
        replace(record, status=status, error=error, cycles=record.cycles[:left])
        if record.cell.seed == 1
        else record
    )


@pytest.mark.parametrize(("left", "after"), [(0, "0 cycles"), (1, "1 cycle")])
def test_a_cell_that_new_has_not_finished_is_a_change(make, left, after):
    found = only(compare(make(), make(change=broken(left=left))))

    assert found.pairs[1].lost == f"failed after {after}: it broke"
    assert [pair.verdict for pair in found.pairs] == ["unchanged", "changed"]
    assert found.score == pytest.approx((0.7, 0.7))  # of the seed that both have


@pytest.mark.parametrize(
    ("left", "state"), [(0, "not begun"), (1, "pending after 1 cycle"), (2, "pending after 2 cycles")]
)
def test_a_cell_that_old_has_not_finished_is_not_compared(make, left, state):
    found = only(compare(make(change=broken("pending", left, "")), make()))

    assert found.pairs[1].unpaired == f"not finished in OLD ({state})"
    assert found.verdict == "unchanged"


def test_a_cell_that_was_not_needed_is_no_change(make):
    spared = make(change=broken("spared", 0, ""), stopping=Stopping())
    assert [pair.unpaired for pair in only(compare(spared, make())).pairs] == ["", "only in NEW"]
    assert [pair.unpaired for pair in only(compare(make(), spared)).pairs] == ["", "not needed in NEW"]
    assert [pair.seed for pair in only(compare(spared, spared)).pairs] == [0]
    assert compare(make(), spared).verdict == "unchanged"


def test_a_cell_that_only_new_has_is_no_change(make):
    cells = [cell(), cell(seed=7), cell("fresh")]
    grace, fresh = compare(make([cell()]), make(cells)).samplers

    assert [(pair.seed, pair.unpaired) for pair in grace.pairs] == [(0, ""), (7, "only in NEW")]
    assert (grace.verdict, fresh.label, fresh.verdict) == ("unchanged", "fresh", "not compared")


@pytest.mark.parametrize(
    ("skips", "why"),
    [((), "not among the cells of the run"), ((Skip(label="gone", reason="needs x"),), "skipped: needs x")],
)
def test_a_sampler_that_new_lacks_is_a_change(make, skips, why):
    found = compare(make([cell(), cell("gone")]), make([cell()], skips=skips))

    assert [sampler.verdict for sampler in found.samplers] == ["unchanged", "changed"]
    assert found.samplers[1].pairs[0].lost == why


def test_where_no_cell_is_finished_nothing_is_compared(make):
    unfinished = make([cell(seed=1)], change=broken("pending", 0))

    assert compare(unfinished, unfinished).verdict == "not compared"


def test_other_parameters_and_versions_of_a_sampler_are_told_and_no_change(make):
    other = [cell(seed=seed, params={"alpha": 2, "beta": True}, distribution="grace==2.0") for seed in (0, 1)]
    found = only(compare(make(), make(other)))

    assert found.verdict == "unchanged"
    assert found.about == (
        "it came from grace==1.0 and comes from grace==2.0",
        "alpha was 1 and is 2",
        "beta was unset and is True",
    )


@pytest.mark.parametrize("field", ["data", "split", "initial_pool"])
def test_runs_on_other_data_are_refused(make, field):
    with pytest.raises(
        RunError, match=rf"old and runs/new cannot be compared: they differ in {field} \(of grace-s0"
    ):
        compare(make(folder="runs/old"), make(context=CONTEXT | {field: "other"}, folder="runs/new"))


def test_runs_of_another_schedule_are_refused(make):
    with pytest.raises(RunError, match="they differ in schedule: 3, 6, 9 and 3, 6, 8 labels"):
        compare(make(), make(schedule=Schedule(initial_pool=3, sizes=(3, 2))))


@pytest.mark.parametrize(
    ("context", "more", "note"),
    [
        ({"device": "cuda"}, {}, "device was cpu and is cuda; the last bits of numbers may differ"),
        (
            {"versions": {"torch": "2.10", "numpy": "2.0"}},
            {},
            "versions.torch was 2.9 and is 2.10; the last bits of numbers may differ",
        ),
        (
            {},
            {"spec_text": SPEC.replace("40", "20").replace("seeds: 2", "seeds: 3")},
            "training.epochs was 40 and is 20; every sampler may feel it",
        ),
        ({}, {"environment": {"alharness": "2"}}, "alharness was unset and is 2"),
    ],
)
def test_what_else_differs_is_noted(make, context, more, note):
    found = compare(make(), make(context=CONTEXT | context, **more))

    assert found.notes == (note,)
    assert found.verdict == "unchanged"


def test_what_else_differs_is_noted_without_a_spec(make):
    assert compare(make(spec_text=""), make(spec_text="[odd]")).notes == ()


@pytest.mark.parametrize(
    ("old", "new", "ratio", "slower"),
    [
        ((2, 2), (2, 2), 1, False),
        ((2, 2), (3.2, 8), 2.8, True),
        ((2, 2), (2.8, 8), 2.7, False),  # not in every seed
        ((2, 2), (0.2, 0.2), 0.1, False),  # faster
        ((0.02, 0.02), (0.06, 0.06), 3, False),  # hardly above what is noise
        ((0.02, 0.02), (4, 4), 200, True),
    ],
)
def test_queries_are_slower_where_they_are_in_every_seed(make, old, new, ratio, slower):
    found = only(compare(make(change=seconds(*old)), make(change=seconds(*new))))

    assert found.time.ratio == pytest.approx(ratio)
    assert found.time.slower is slower
    assert found.verdict == ("changed" if slower else "unchanged")
    assert found.time.seeds[1] == (1, pytest.approx(new[1] / old[1]))


def test_how_much_slower_counts_can_be_said(make):
    before, after = make(change=seconds(2, 2)), make(change=seconds(2.5, 2.5))

    assert compare(before, after).verdict == "unchanged"
    assert compare(before, after, slower=1.2).verdict == "changed"


def test_times_that_are_noise_are_not_judged(make):
    found = only(compare(make(change=seconds(0.001, 0.001)), make(change=seconds(0.04, 0.04))))

    assert found.time.ratio is None
    assert found.time.unjudged == "all queries of a cell take less than 0.05 s"


@pytest.mark.parametrize(("old", "new", "where"), [(1, 0, "OLD"), (0, 1, "NEW"), (1, 1, "OLD and NEW")])
def test_times_that_were_not_a_querys_alone_are_not_judged(make, old, new, where):
    shared = both(seconds(9, 9), edit(1, seeds=(1,), timing="shared"))
    exclusive = seconds(1, 1)
    time = only(compare(make(change=[exclusive, shared][old]), make(change=[exclusive, shared][new]))).time

    assert time.unjudged == f"measured while other cells were running, in {where}; see --retime"
    assert not time.slower


@pytest.mark.parametrize("fact", ["cpu", "cores", "threads", "device", "gpu", "platform"])
def test_times_of_another_machine_are_not_judged(make, fact):
    before = {"cpu": "a", "cores": "a", "threads": "a", "device": "a", "gpu": "a", "platform": "a", "torch": "1"}
    after = before | {fact: "b"}
    time = only(compare(make(environment=before), make(environment=after, change=seconds(99, 99)))).time

    assert time.unjudged == f"another machine: {fact} was a and is b"
    assert not time.slower


def test_times_that_were_measured_on_several_machines_are_not_judged(make):
    one = both(*(edit(c, machine="z80, 1 cores") for c in (0, 1)))
    other = both(one, seconds(99, 99), edit(1, seeds=(1,), machine="m68k, 1 cores"))

    assert only(compare(make(change=one), make(change=one))).time.ratio == 1
    assert only(compare(make(change=one), make())).time.ratio == 1  # older journals do not say
    time = only(compare(make(change=one), make(change=other))).time
    assert time.unjudged == "measured on several machines: m68k, 1 cores; z80, 1 cores"
    assert not time.slower


def test_trainings_in_stacks_of_another_size_make_no_sampler_slower(make):
    def trained(train, **stacked):
        return both(*(edit(c, cost={"train_seconds": train, **stacked}) for c in range(3)))

    alone, together = make(change=trained(9.0)), make(change=trained(0.9, train_stacked=25.0))
    assert compare(together, alone).verdict == compare(alone, together).verdict == "unchanged"


def test_memory_is_the_largest_increase_and_never_a_change(make):
    found = only(compare(make(), make(change=edit(0, cost={"cpu_peak_increase_mib": 9000.0}))))

    assert found.memory == (11.0, 9000.0)
    assert found.verdict == "unchanged"


def test_references_are_compared_by_their_metrics(make):
    cells = [cell(), cell("full-data", reference=True)]
    worse = make(cells, change=edit(0, label="full-data", metrics={"f1": 0.8}, seeds=(0,)))
    sampler, reference = compare(make(cells), worse).samplers

    assert (sampler.verdict, reference.verdict) == ("unchanged", "changed")
    assert reference.time.ratio is None


def test_only_compares_what_it_names(make):
    cells = [cell(), cell("margin")]
    found = compare(make(cells), make(cells, change=edit(0, chosen=("x",))), only=("margin",))

    assert [sampler.label for sampler in found.samplers] == ["margin"]
    assert found.verdict == "unchanged"
    with pytest.raises(SpecError, match="--only margn: neither run has such a sampler; did you mean 'margin'"):
        compare(make(cells), make(cells), only=("margn",))


def test_each_replicate_of_random_is_compared_with_its_own(make_results, tmp_path):
    curve, other = (0.5, 0.4, 0.35, 0.32), (0.6, 0.5, 0.45, 0.42)
    old = make_results({"random": [curve]}, replicates=[[other]])
    new = make_results({"random": [curve]}, replicates=[[curve]])
    new = replace(new, run=replace(new.run, folder=tmp_path))
    (random,) = compare(old, new).samplers
    assert [(pair.which, pair.verdict) for pair in random.pairs] == [
        ("0", "unchanged"),
        ("0 (replicate 2)", "changed"),
    ]
