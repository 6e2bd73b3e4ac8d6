"""Looks that may be made again and again: their boundaries, what they decide, and which cells they need."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from alharness.api.records import Outcome, Stopping
from alharness.results.judge import judge
from alharness.results.looks import look_at
from alharness.results.sequential import critical, looks, replay, spent

RULE = Stopping()


def boundaries(sizes, level):
    return np.array([critical(tuple(sizes[:last]), level) for last in range(1, len(sizes) + 1)])


def t_statistics(differences, sizes):
    """(repeats, seeds, comparisons) -> (repeats, looks, comparisons)."""
    n = np.array(sizes)[:, None]
    mean = differences.cumsum(1)[:, n[:, 0] - 1] / n
    squares = (differences**2).cumsum(1)[:, n[:, 0] - 1]
    return mean * np.sqrt(n * (n - 1) / (squares - n * mean**2))


def seeds_of(values):
    return dict(enumerate(map(float, values)))


def compared(values, other, rule=RULE, most=None, pending=None, pairs=(("a", "random"),)):
    most = most or len(values)
    given = {"a": seeds_of(values), "random": seeds_of(other)}
    return replay(rule, range(most), pairs, given, pending or {}, lower_is_better=False)


def apart(n, by, noise=1.0, seed=0):
    """Values of a sampler and of Random; the difference is `by` on average."""
    rng = np.random.default_rng(seed)
    return rng.normal(by, noise / math.sqrt(2), n), rng.normal(0, noise / math.sqrt(2), n)


@pytest.mark.parametrize(("size", "level"), [(3, 0.05), (5, 0.05), (5, 0.05 / 36), (40, 0.01)])
def test_the_first_look_is_a_t_test_at_the_level_that_it_may_spend(size, level):
    from scipy import stats

    expected = stats.t.ppf(1 - level * spent(size) / 2, size - 1)
    assert critical((size,), level) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("sizes", "level", "golden"),
    [
        # By another way: the transition of Σd / √Σd² as a closed form, masses in cells of 0.02 deviates.
        (range(5, 51, 5), 0.05, [3.961, 3.217, 3.080, 3.043, 3.037, 3.045, 3.059, 3.075, 3.092, 3.109]),
        (range(5, 51, 5), 0.05 / 8, [7.096, 4.687, 4.249, 4.083, 4.004, 3.962, 3.943, 3.932, 3.928, 3.928]),
        ((3, 4, 5), 0.05 / 36, [55.844, 28.55, 16.47]),
    ],
)
def test_boundaries(sizes, level, golden):
    assert boundaries(list(sizes), level) == pytest.approx(golden, rel=0.01)


def test_boundaries_of_many_seeds_are_those_of_two_correlated_normal_variables():
    from scipy import special, stats

    first, second = boundaries([150, 300], 0.05)
    z = [-special.ndtri(special.stdtr(n - 1, -t)) for n, t in ((150, first), (300, second))]
    both = stats.multivariate_normal([0, 0], [[1, math.sqrt(0.5)], [math.sqrt(0.5), 1]])
    corners = [(z[0], z[1]), (-z[0], z[1]), (z[0], -z[1]), (-z[0], -z[1])]
    inside = sum(sign * both.cdf(corner) for sign, corner in zip((1, -1, -1, 1), corners, strict=True))
    assert 1 - inside == pytest.approx(0.05 * spent(300), rel=0.01)


def test_each_look_spends_what_it_may_and_no_more():
    sizes, repeats = [5, 7, 12, 20, 21], 200_000
    t = t_statistics(np.random.default_rng(5).normal(size=(repeats, 21, 1)), sizes)[:, :, 0]
    crossed = np.abs(t) >= boundaries(sizes, 0.1)
    first = np.bincount(np.where(crossed.any(1), crossed.argmax(1), len(sizes)), minlength=len(sizes) + 1)
    allowed = 0.1 * np.diff([0, *map(spent, sizes)])
    errors = np.sqrt(allowed / repeats)
    assert (np.abs(first[:-1] / repeats - allowed) < 4 * errors + 0.01 * allowed).all()


NOISES = {
    "equal": lambda rng, shape: rng.normal(size=shape),
    "unequal": lambda rng, shape: rng.normal(size=shape) * np.geomspace(0.5, 2, shape[-1]),
    "heavy": lambda rng, shape: rng.standard_t(5, shape),
}


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("samplers", [2, 5, 9])
def test_false_positives_over_the_whole_procedure_hold_their_level(samplers, noise):
    repeats, sizes = 4000, [*looks(RULE, 50)]
    values = NOISES[noise](np.random.default_rng(samplers), (repeats, 50, samplers))
    t = t_statistics(values[:, :, 1:] - values[:, :, :1], sizes)
    bounds = boundaries(sizes, 0.05 / (samplers - 1))
    false = (np.abs(t) >= bounds[:, None]).any((1, 2)).mean()
    assert false <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / repeats)
    assert false >= 0.02  # and is not far below


def test_a_replay_decides_as_the_boundaries_say():
    rng, sizes = np.random.default_rng(11), [*looks(RULE, 30)]
    for _ in range(40):
        values = rng.normal(np.array([0, 0.5, 1]), size=(30, 3))
        labels = ("random", "a", "b")
        given = {label: seeds_of(values[:, i]) for i, label in enumerate(labels)}
        pairs = [("a", "random"), ("b", "random")]
        found = replay(RULE, range(30), pairs, given, {}, lower_is_better=False)
        t = t_statistics(values[None, :, 1:] - values[None, :, :1], sizes)[0]
        for pair, column in zip(pairs, t.T, strict=True):
            crossed = np.abs(column) >= boundaries(sizes, 0.025)
            expected = sizes[crossed.argmax()] if crossed.any() else 30
            decision = found.decisions[pair]
            assert len(decision.seeds) == expected
            assert bool(decision.verdict) == crossed.any()


def test_a_difference_that_is_large_stops_at_the_first_look():
    found = compared(*apart(20, by=8))
    (decision,) = found.decisions.values()
    assert (decision.verdict, decision.seeds, found.looked, found.over) == ("better", (0, 1, 2, 3, 4), 5, True)
    assert 0 < decision.difference.low < decision.difference.value < decision.difference.high
    assert found.needed == {"a": (0, 1, 2, 3, 4), "random": (0, 1, 2, 3, 4)}


def test_which_values_are_better_is_respected():
    values, other = apart(20, by=8)
    given = {"a": seeds_of(values), "random": seeds_of(other)}
    found = replay(RULE, range(20), [("a", "random")], given, {}, lower_is_better=True)
    assert found.decisions["a", "random"].verdict == "worse"


def test_an_interval_within_the_margin_decides_that_there_is_no_relevant_difference():
    values = apart(50, by=0)
    for margin, verdict in ((0.05, ""), (1.5, "equal")):
        (decision,) = compared(*values, rule=replace(RULE, margin=margin)).decisions.values()
        assert decision.verdict == verdict
    assert decision.difference.high < 1.5
    assert len(decision.seeds) < 50


def test_what_is_undecided_stays_so_and_keeps_its_interval():
    found = compared(*apart(20, by=0))
    (decision,) = found.decisions.values()
    assert (decision.verdict, len(decision.seeds), found.over) == ("", 20, True)
    assert decision.difference.low < 0 < decision.difference.high
    assert found.open == (("a", "random"),)


def test_a_look_waits_for_cells_that_may_still_come():
    values, other = apart(20, by=0)
    pending = {"a": [3], "random": range(7, 20)}
    found = compared(values, other, pending=pending)
    assert (found.looked, found.over) == (0, False)
    assert found.needed == {"a": tuple(range(5)), "random": tuple(range(5))}
    found = compared(values, other, pending=pending | {"a": []})
    assert (found.looked, found.needed["a"]) == (5, tuple(range(10)))


def test_a_cell_that_failed_is_missing_and_decides_nothing():
    values, other = apart(20, by=8)
    given = {"a": seeds_of(values), "random": seeds_of(other)}
    del given["a"][2]
    found = replay(RULE, range(20), [("a", "random")], given, {}, lower_is_better=False)
    (decision,) = found.decisions.values()
    assert (decision.verdict, found.looked) == ("better", 10)  # there were 4 differences at the first look
    assert decision.seeds == (0, 1, 3, 4, 5, 6, 7, 8, 9)


def test_a_look_without_new_differences_is_none():
    values, other = apart(30, by=0)
    given = {"a": seeds_of(values[:5]), "random": seeds_of(other)}
    found = replay(RULE, range(30), [("a", "random")], given, {}, lower_is_better=False)
    assert found.decisions == compared(values[:5], other[:5], most=30).decisions


def test_a_sampler_that_is_decided_is_needed_no_more():
    pairs = [("a", "random"), ("b", "random")]
    a, other = apart(20, by=8)
    given = {"a": seeds_of(a), "random": seeds_of(other), "b": seeds_of(apart(20, by=0, seed=1)[0])}
    found = replay(RULE, range(20), pairs, given, {"b": range(10, 20)}, lower_is_better=False)
    assert {label: len(seeds) for label, seeds in found.needed.items()} == {"a": 5, "b": 15, "random": 15}
    found = replay(RULE, range(20), [*pairs, ("a", "b")], given, {"b": range(10, 20)}, lower_is_better=False)
    assert len(found.needed["a"]) == (15 if not found.decisions["a", "b"].verdict else 5)


def test_seeds_may_be_raised_later_and_earlier_looks_stay_as_they_were():
    values, other = apart(40, by=0.8)
    few, many = compared(values[:20], other[:20]), compared(values, other)
    again = compared(values, other, most=20)
    assert few.decisions == again.decisions
    if few.over and not few.open:
        assert few.decisions == many.decisions
    decisive = compared(values, other, most=1000)
    assert decisive.decisions == many.decisions


def test_the_order_in_which_cells_finished_plays_no_part():
    values, other = apart(20, by=1)
    given = {"a": seeds_of(values), "random": seeds_of(other)}
    shuffled = {label: dict(random.Random(1).sample([*of.items()], 20)) for label, of in reversed(given.items())}
    one, two = (
        replay(RULE, range(20), [("a", "random")], of, {}, lower_is_better=False) for of in (given, shuffled)
    )
    assert one.decisions == two.decisions


def test_samplers_that_never_differ_are_not_different():
    values, _ = apart(20, by=0)
    for margin, verdict in ((None, ""), (0.01, "equal")):
        (decision,) = compared(values, values, rule=replace(RULE, margin=margin)).decisions.values()
        assert decision.verdict == verdict
    (decision,) = compared(values + 1, values).decisions.values()  # nothing says how much a difference varies
    assert decision.verdict == ""


@pytest.mark.parametrize(
    ("rule", "most", "expected"),
    [
        (Stopping(), 22, [5, 10, 15, 20, 22]),
        (Stopping(at_least=3, block=1), 6, [3, 4, 5, 6]),
        (Stopping(at_least=5), 5, [5]),
    ],
)
def test_looks(rule, most, expected):
    assert [*looks(rule, most)] == expected


CURVES = {"random": 0.5, "same": 0.5, "good": 0.4}


@pytest.fixture
def results(make_results):
    """A run of which each sampler has so many seeds of 12, and the rest is pending."""

    def build(*, have, **rule):
        rng = np.random.default_rng(0)
        curves = {x: level + 0.02 * rng.normal(size=(12, 4)) for x, level in CURVES.items()}
        found = make_results(curves, stopping=Stopping(at_least=4, block=4, **rule), references=[0.3] * 12)
        records = tuple(
            record
            if record.cell.seed < have.get(record.cell.label, 12)
            else Outcome(cell=record.cell, status="pending")
            for record in found.records
        )
        return replace(found, records=records)

    return build


def test_a_run_is_judged_by_the_areas_of_what_counts(results):
    found = look_at(results(have={}))
    assert found.decisions["good", "random"].verdict == "better"
    assert found.decisions["same", "random"].verdict == ""
    areas = results(have={}).areas_of("good", range(4)) - results(have={}).areas_of("random", range(4))
    assert found.decisions["good", "random"].difference.value == pytest.approx(-areas.mean())


def test_a_look_names_the_cells_that_are_needed_and_that_may_be(results):
    found = results(have={"same": 4, "random": 4, "good": 4})
    look = judge(found.run, found.records)
    assert (look.seeds, look.over) == (4, False)
    names = {cell.name for cell in look.needed}
    assert {"good-s3", "random-s7", "same-s7", "full-data-s7"} <= names
    assert not {"good-s4", "random-s8", "full-data-s8"} & names
    possible = {cell.name for cell in look.possible}
    assert {"random-s11", "same-s11", "full-data-s11"} <= possible
    assert "good-s4" not in possible


def test_what_is_decided_is_said_in_a_sentence_each(results):
    found = results(have={})
    one, two = judge(found.run, found.records).lines
    assert one.startswith("good is better than random: +0.1")
    assert one.endswith(" after 4 seeds; it stops")
    assert two.startswith("undecided: same and random: ")
    assert two.endswith(" after 12 seeds")
    found = results(have={}, margin=0.05)
    assert judge(found.run, found.records).lines[1].startswith("same and random differ by less than 0.05: ")


def test_every_pair_is_compared_if_the_rule_says_so(results):
    found = results(have={}, pairs="all")
    assert [*look_at(found).decisions] == [("same", "random"), ("good", "random"), ("same", "good")]
    look = judge(found.run, found.records)
    assert {cell.seed for cell in look.needed if cell.label == "good"} >= {0, 1, 2, 3}
    assert not any("it stops" in line for line in look.lines)
