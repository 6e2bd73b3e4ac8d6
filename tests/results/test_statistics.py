import math

import numpy as np
import pytest

from alharness.results.statistics import aubc, mean


def test_the_interval_is_students():
    from scipy import stats

    values = [0.31, 0.35, 0.29, 0.33, 0.36]
    ours = mean(values)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (ours.value - ours.half, ours.value + ours.half) == pytest.approx((low, high))
    assert ours.n == 5


def test_one_value_has_no_interval_and_none_has_no_mean():
    assert math.isnan(mean([0.5]).half)
    assert mean([0.5]).value == 0.5
    assert mean([]).n == 0
    assert math.isnan(mean([]).value)


def test_case_32_an_undefined_value_is_left_out_and_counted():
    ours = mean([1.0, math.nan, 3.0])
    assert (ours.value, ours.n, ours.undefined) == (2.0, 2, 1)


def test_the_area_of_a_known_curve():
    assert aubc([100, 200, 400, 800], [0.5, 0.4, 0.35, 0.32]) == pytest.approx(0.362857, abs=1e-6)


def test_a_constant_curve_has_its_constant_as_area():
    assert aubc([20, 35, 400], [0.7, 0.7, 0.7]) == pytest.approx(0.7)
    assert aubc([20], [0.7]) == 0.7


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = sum(abs(ours.value) <= ours.half for ours in (mean(rng.normal(size=5)) for _ in range(2000)))
    assert 0.93 < hits / 2000 < 0.97
