"""Paired differences compared with scipy, Holm with statsmodels, both on data in which nothing differs."""

import math

import numpy as np
import pytest

from alharness.results.statistics import difference, holm

WORKED = [-0.010, -0.020, -0.015, -0.005, -0.012]


def of(d, **options):
    return difference(d, np.zeros(len(d)), lower_is_better=False, **options)


def test_a_worked_example():
    found = of(WORKED)
    assert found.n == 5
    assert found.value == pytest.approx(-0.0124)
    assert found.sd == pytest.approx(0.005595, abs=1e-6)
    assert found.p == pytest.approx(0.00773, abs=1e-5)
    assert found.value - found.half == pytest.approx(-0.01935, abs=1e-5)
    assert found.value + found.half == pytest.approx(-0.00545, abs=1e-5)
    assert found.effect == pytest.approx(-0.0124 / 0.005595, rel=1e-3)
    assert found.significant


@pytest.mark.parametrize("n", [3, 5, 6, 10, 30])
def test_as_scipy_has_it(n):
    from scipy import stats

    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(2, n))
    found = difference(a, b, lower_is_better=False, with_ranks=True)
    theirs = stats.ttest_rel(a, b)
    low, high = theirs.confidence_interval(0.95)
    assert found.p == pytest.approx(theirs.pvalue)
    assert (found.value - found.half, found.value + found.half) == pytest.approx((low, high))
    if n >= 6:
        assert found.p_ranks == pytest.approx(stats.wilcoxon(a, b).pvalue)
    else:
        assert math.isnan(found.p_ranks)  # it could not fall below 0.05


def test_better_is_positive_whatever_the_direction():
    up, down = (difference([0.3, 0.2, 0.4], [0.5, 0.5, 0.5], lower_is_better=lower) for lower in (False, True))
    assert up.value == pytest.approx(-0.2)
    assert down.value == pytest.approx(0.2)
    assert up.p == pytest.approx(down.p)


@pytest.mark.parametrize(("n", "expected"), [(3, 3.10), (5, 1.66), (6, 1.43), (8, 1.15), (10, 1.00), (20, 0.66)])
def test_the_detectable_difference_in_standard_deviations(n, expected):
    d = np.random.default_rng(0).normal(size=n)
    found = of(d / d.std(ddof=1))
    assert found.detectable == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_equal_differences_are_not_tested(shift):
    values = np.random.default_rng(1).normal(size=8)
    found = difference(values + shift, values, lower_is_better=False, with_ranks=True)
    assert found.value == pytest.approx(shift)
    assert found.sd == 0
    assert math.isnan(found.p)
    assert math.isnan(found.effect)
    assert not found.significant


def test_two_seeds_show_nothing_however_clear():
    found = of([1.0, 1.0001])
    assert found.half > 0
    assert math.isnan(found.p)
    assert not found.significant


def test_a_seed_without_a_value_is_left_out():
    found = difference([1.0, math.nan, 3.0, 5.0], [0.0, 0.0, math.nan, 1.0], lower_is_better=False)
    assert (found.n, found.value) == (2, 2.5)
    assert of([]).n == 0


def test_holm_by_hand():
    assert holm([0.04, 0.001, 0.03, 0.02]) == pytest.approx([0.06, 0.004, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


@pytest.mark.parametrize("seed", range(5))
def test_holm_as_statsmodels_has_it(seed):
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(seed).uniform(size=30) ** 3
    p[::7] = p[3]  # ties
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_what_was_not_tested_is_no_member_of_the_family():
    found = holm([math.nan, 0.02, 0.03, math.nan])
    assert found[1:3] == pytest.approx([0.04, 0.04])
    assert math.isnan(found[0])
    assert math.isnan(found[3])


@pytest.mark.parametrize("n", [3, 5, 10])
def test_where_nothing_differs_one_test_in_twenty_says_otherwise(n):
    rng = np.random.default_rng(n)
    repeats = 4000
    wrong = sum(difference(*rng.normal(size=(2, n)), lower_is_better=False).significant for _ in range(repeats))
    # Three standard deviations of a binomial count to either side.
    assert abs(wrong / repeats - 0.05) < 3 * math.sqrt(0.05 * 0.95 / repeats)


def test_where_nothing_differs_ranks_say_otherwise_no_more_often():
    rng = np.random.default_rng(0)
    found = (difference(*rng.normal(size=(2, 8)), lower_is_better=False, with_ranks=True) for _ in range(400))
    wrong = sum(one.p_ranks < 0.05 for one in found)
    assert 0.01 < wrong / 400 < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


def test_where_nothing_differs_one_family_in_twenty_says_otherwise():
    """Eight samplers, five seeds, all 28 pairs, as in a report."""
    rng = np.random.default_rng(0)
    repeats, wrong = 600, 0
    for _ in range(repeats):
        values = rng.normal(size=(8, 5))
        p = [difference(values[i], values[j], lower_is_better=False).p for i in range(8) for j in range(i)]
        wrong += min(holm(p)) < 0.05
    # Pairs share samplers, so that Holm's bound is not reached.
    assert 0.01 < wrong / repeats < 0.05 + 3 * math.sqrt(0.05 * 0.95 / repeats)
