import pytest
import torch

from benchmarks.rows import TRAINING, Bound, Cost, Row, at_most, faster, same_picks, within


def seconds(cpu):
    return Cost(cpu=cpu, wall=99.0, rounds=5)


@pytest.mark.parametrize(("ours", "verdict"), [(0.5, "met"), (1.0, "met"), (1.01, "FAIL")])
def test_faster_is_a_ratio_of_processor_times(ours, verdict):
    bound = faster(seconds(ours), seconds(2.0), 2)
    assert bound.verdict == verdict
    assert bound.found == f"{2 / ours:.3g}×"


@pytest.mark.parametrize(("ours", "verdict"), [(0.5, "met"), (1.0, "met"), (1.01, "FAIL")])
def test_faster_by_the_clock(ours, verdict):
    sides = [Cost(cpu=99.0, wall=wall, rounds=1) for wall in (ours, 2.0)]
    bound = faster(*sides, 2, by="wall")
    assert bound.verdict == verdict
    assert bound.found == f"{2 / ours:.3g}×"
    assert Row(work="w", reference="r", ours=sides[0], theirs=sides[1], by="wall").ratio == 2 / ours


@pytest.mark.parametrize(("ours", "verdict"), [(0.5, "met"), (4.0, "met"), (4.1, "FAIL")])
def test_within_is_a_ratio_to_the_floor(ours, verdict):
    bound = within(seconds(ours), seconds(2.0), 2)
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
        faster(seconds(1), None, 2),
        within(seconds(1), None, 2),
        at_most("memory", None, 60),
        same_picks([1], None),
        same_picks(None, [1]),
    ],
)
def test_what_was_not_measured_is_neither_met_nor_missed(bound):
    row = Row(work="w", reference="r", ours=seconds(1), bounds=(bound,))
    assert bound.verdict == "not measured"
    assert row.missed == ()


def test_a_row_survives_the_file():
    bounds = (Bound(text="a", found="1", met=False), Bound(text="b"))
    row = Row(
        work="w",
        reference="r",
        ours=seconds(1),
        theirs=Cost(cpu=1, wall=2, rounds=3, memory=4.0),
        limit="mm",
        bounds=bounds,
        notes=("n",),
        group=TRAINING,
        by="wall",
    )
    assert Row.from_json(row.to_json()) == row
    assert row.missed == bounds[:1]
    alone = Row(work="w", reference="r", ours=seconds(1), missing="needs x")
    assert Row.from_json(alone.to_json()) == alone
