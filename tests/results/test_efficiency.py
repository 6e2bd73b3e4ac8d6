"""Labels to a target, by hand and by a slow bootstrap of another kind."""

import itertools
import math

import numpy as np
import pytest

from alharness.results import efficiency
from alharness.results.efficiency import labels_to, saving

LABELED = (100, 200, 400, 800)


def needed(target, curve, *, lower=True):
    return float(labels_to(target, LABELED, np.array(curve, float), lower_is_better=lower))


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ((0.30, 0.29, 0.28, 0.27), 100),  # from the beginning
        ((0.35, 0.30, 0.28, 0.27), 100),  # at once, exactly
        ((0.50, 0.40, 0.30, 0.25), 300),  # half-way between 200 and 400
        ((0.50, 0.40, 0.35, 0.30), 400),  # on a cycle
        ((0.50, 0.45, 0.40, 0.36), math.inf),
        ((0.50, 0.30, 0.60, 0.20), 175),  # the first of two crossings
    ],
)
def test_the_first_crossing(curve, expected):
    assert needed(0.35, curve) == pytest.approx(expected)
    assert needed(-0.35, [-y for y in curve], lower=False) == pytest.approx(expected)


def test_many_curves_at_once_each_with_its_own_target():
    curves = np.array([[0.5, 0.4, 0.3, 0.25], [0.5, 0.45, 0.4, 0.36]])
    found = labels_to(np.array([0.35, 0.45]), LABELED, curves, lower_is_better=True)
    assert found.tolist() == pytest.approx([300, 200])


def crossing(target, curve):
    """By numpy's interpolation on a fine grid: another way to the same number."""
    x = np.linspace(LABELED[0], LABELED[-1], 70_001)
    met = np.interp(x, LABELED, curve) <= target + 1e-12
    return x[met.argmax()] if met.any() else math.inf


def test_a_saving_is_the_horizontal_distance_of_mean_curves(make_results, noisy):
    curves = {"random": noisy(5, seed=1), "quick": noisy(5, effect=1.0, seed=2)}
    found = saving(make_results(curves), "quick", "random")
    goal = curves["random"][:, -1].mean()
    assert found.reference == pytest.approx(crossing(goal, curves["random"].mean(0)), abs=0.02)
    assert found.needed == pytest.approx(crossing(goal, curves["quick"].mean(0)), abs=0.02)
    assert found.value == pytest.approx(found.reference - found.needed)
    assert found.reached == sum(math.isfinite(crossing(goal, row)) for row in curves["quick"])
    assert found.n == 5


def test_the_interval_is_one_of_all_resamples(make_results, noisy):
    """With five seeds all 3,125 resamples can be listed, and the widened percentiles are about 0.1 and 99.9 %."""
    curves = {"random": noisy(5, seed=1), "quick": noisy(5, effect=1.0, seed=2)}
    found = saving(make_results(curves), "quick", "random")
    saved = []
    for rows in itertools.product(range(5), repeat=5):
        a, b = (curves[x][list(rows)].mean(0) for x in ("quick", "random"))
        needed = [float(labels_to(b[-1], LABELED, curve, lower_is_better=True)) for curve in (b, a)]
        saved.append(needed[0] - needed[1])
    saved = np.array(saved)
    for outside in (saved < found.low - 1e-6, saved > found.high + 1e-6):
        assert 0.0002 < outside.mean() < 0.002


def test_a_target_that_was_asked_for(make_results):
    curves = {"random": [(0.5, 0.45, 0.4, 0.36)] * 5, "quick": [(0.5, 0.4, 0.3, 0.25)] * 5}
    found = saving(make_results(curves), "quick", "random", 0.35)
    assert found.needed == pytest.approx(300)
    assert math.isinf(found.reference)
    assert math.isnan(found.value)  # more than 500, but how many more is not known
    assert found.low == found.high == math.inf


def test_never_reached_is_never_a_number(make_results):
    curves = {"random": [(0.5, 0.45, 0.4, 0.36)] * 5, "slow": [(0.5, 0.48, 0.47, 0.46)] * 5}
    found = saving(make_results(curves), "slow", "random")
    assert math.isinf(found.needed)
    assert found.reached == 0
    assert math.isnan(found.value)
    assert found.low == found.high == -math.inf


def test_four_seeds_have_no_interval_and_none_no_saving(make_results, noisy):
    four = saving(make_results({"random": noisy(4), "quick": noisy(4, 1.0)}), "quick", "random")
    assert (four.low, four.high, four.sure) == (-math.inf, math.inf, False)
    assert four.value > 0
    none = saving(make_results({"random": [None, None], "quick": noisy(2)}), "quick", "random")
    assert (none.n, none.sure) == (0, False)
    assert math.isnan(none.value)


def test_the_same_results_give_the_same_interval(make_results, noisy):
    results = make_results({"random": noisy(6), "quick": noisy(6, 0.5, seed=3)})
    one, other = (saving(results, "quick", "random") for _ in range(2))
    assert one == other


@pytest.mark.parametrize("n", [5, 10])
def test_where_nothing_is_saved_few_intervals_say_otherwise(make_results, monkeypatch, n):
    """At most as many as an interval of 95 % may, with three standard deviations of the count."""
    monkeypatch.setattr(efficiency, "RESAMPLES", 1999)
    rng = np.random.default_rng(n)
    mean = np.array([0.5, 0.4, 0.35, 0.32])
    repeats, wrong = 200, 0
    for _ in range(repeats):
        curves = {label: mean + 0.01 * rng.normal(size=(n, 4)) for label in ("random", "same")}
        wrong += saving(make_results(curves), "same", "random").sure
    assert wrong / repeats < 0.05 + 3 * math.sqrt(0.05 * 0.95 / repeats)


@pytest.mark.parametrize(("n", "share"), [(5, 0.92), (10, 0.95)])
def test_intervals_hold_the_true_saving_as_often_as_the_docs_say(make_results, monkeypatch, n, share):
    monkeypatch.setattr(efficiency, "RESAMPLES", 1999)
    rng = np.random.default_rng(n)
    slow, quick = np.array([0.50, 0.44, 0.38, 0.32]), np.array([0.50, 0.40, 0.32, 0.26])
    true = 800 - crossing(0.32, quick)
    repeats, held = 200, 0
    for _ in range(repeats):
        curves = {x: mean + 0.01 * rng.normal(size=(n, 4)) for x, mean in (("random", slow), ("quick", quick))}
        found = saving(make_results(curves), "quick", "random")
        held += found.low <= true <= found.high
    assert held / repeats > share - 3 * math.sqrt(share * (1 - share) / repeats)
