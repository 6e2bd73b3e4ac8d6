from statistics import fmean

import pytest
import torch

from benchmarks.rows import Bound, Cost, Row, at_most, combine, faster, same_picks, within


def row(ours, theirs, by="cpu", **more):
    costs = [None if value is None else Cost(**{"cpu": 99.0, "wall": 99.0, by: value}) for value in (ours, theirs)]
    return Row(work="w", reference="r", ours=costs[0], theirs=costs[1], by=by, **more)


@pytest.mark.parametrize(("ours", "verdict"), [(0.5, "met"), (1.0, "met"), (1.01, "FAIL")])
def test_faster_is_a_ratio_of_processor_times(ours, verdict):
    bound = faster(row(ours, 2.0), 2)
    assert bound.verdict == verdict
    assert bound.found == f"{2 / ours:.3g}×"


@pytest.mark.parametrize(("ours", "verdict"), [(0.5, "met"), (1.0, "met"), (1.01, "FAIL")])
def test_faster_by_the_clock(ours, verdict):
    bound = faster(row(ours, 2.0, by="wall"), 2)
    assert bound.verdict == verdict
    assert bound.found == f"{2 / ours:.3g}×"
    assert row(ours, 2.0, by="wall").ratio == 2 / ours


@pytest.mark.parametrize(("ours", "verdict"), [(0.5, "met"), (4.0, "met"), (4.1, "FAIL")])
def test_within_is_a_ratio_to_the_floor(ours, verdict):
    bound = within(row(ours, 2.0), 2)
    assert bound.verdict == verdict
    assert bound.found == f"{ours / 2:.3g}×"


@pytest.mark.parametrize(("found", "verdict"), [(59.9, "met"), (60.0, "met"), (60.1, "FAIL")])
def test_a_limit(found, verdict):
    bound = at_most("memory", found, 60, " MB")
    assert (bound.text, bound.verdict) == ("memory ≤ 60 MB", verdict)


@pytest.mark.parametrize(
    ("theirs", "verdict", "found"),
    [([3, 1, 2], "met", "3 of 3"), ([3, 1, 4], "FAIL", "2 of 3"), ([1, 2, 3, 4], "FAIL", "3 of 3")],
)
def test_the_same_picks_in_any_order(theirs, verdict, found):
    bound = same_picks(torch.tensor([1, 2, 3]), theirs)
    assert (bound.verdict, bound.found) == (verdict, found)


@pytest.mark.parametrize(
    "bound",
    [
        faster(row(1, None), 2),
        within(row(1, None), 2),
        at_most("memory", None, 60),
        same_picks([1], None),
        same_picks(None, [1]),
    ],
)
def test_what_was_not_measured_is_neither_met_nor_missed(bound):
    assert bound.verdict == "not measured"
    assert row(1, None, bounds=(bound,)).missed == ()


def test_a_bound_that_does_not_hold_is_missed():
    bounds = (Bound(text="a", found="1", met=False), Bound(text="b"), Bound(text="c", found="2", met=True))
    assert row(1, 2, bounds=bounds).missed == bounds[:1]


def test_rounds_are_combined_to_one_cost():
    one, other = Cost(cpu=3.0, wall=2.0, memory=10.0), Cost(cpu=5.0, wall=3.0, memory=30.0)
    assert combine([one, other], fmean) == Cost(cpu=4.0, wall=2.5, rounds=2, memory=20.0)
    assert combine([one, other, Cost(cpu=1.0, wall=9.0)], min) == Cost(cpu=1.0, wall=2.0, rounds=3, memory=10.0)
    assert combine([Cost(cpu=1.0, wall=9.0)], min).memory is None
