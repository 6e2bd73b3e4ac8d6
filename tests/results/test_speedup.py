"""The factor by which a sampler needs fewer labels than Random."""

import math

import numpy as np
import pytest

from alharness.results.settings import settings
from alharness.results.speedup import speed_up

LABELED = (10, 20, 30, 40, 50)
X = np.array(LABELED, float)


def factor(ours, random, *, lower=False):
    return speed_up(LABELED, np.array(ours), np.array(random), lower_is_better=lower)


def test_a_sampler_that_needs_half_of_the_labels_is_twice_as_quick():
    """Both curves are straight lines through nothing: the one after k labels is the other after 2 k."""
    assert factor(2 * X, X) == pytest.approx(30 / 15, rel=0.02)  # values from 20 to 50
    assert factor(-2 * X, -X, lower=True) == pytest.approx(2, rel=0.02)


def test_the_other_way_round_it_is_the_inverse():
    a, b = np.array([0.1, 0.4, 0.3, 0.6, 0.7]), np.array([0.1, 0.2, 0.5, 0.4, 0.6])
    assert factor(a, b) == pytest.approx(1 / factor(b, a))


def test_random_is_as_quick_as_itself_even_if_its_curve_goes_down():
    up_and_down = [0.1, 0.5, 0.3, 0.6, 0.4]
    assert factor(up_and_down, up_and_down) == 1


def test_curves_without_a_value_in_common_have_no_factor():
    assert math.isnan(factor([0.1] * 5, [0.2, 0.3, 0.4, 0.5, 0.6]))


def test_many_curves_at_once():
    both = np.stack([2 * X, X])
    assert factor(both, np.stack([X, X])) == pytest.approx([2, 1], rel=0.02)


def test_over_settings_it_is_the_geometric_mean_with_an_interval(make_results):
    def run(number, times):
        rng = np.random.default_rng(number)
        curves = {"random": X + rng.normal(0, 0.5, (6, 5)), "a": times * X + rng.normal(0, 0.5, (6, 5))}
        return make_results(curves, metric="f1", labeled=LABELED, experiment=f"e{number}", name=f"set {number}")

    by_setting, over = settings([run(0, 2.0), run(1, 0.5)]).speed_ups["a"]
    assert by_setting["set 0"].value == pytest.approx(2, rel=0.05)
    assert by_setting["set 1"].value == pytest.approx(0.5, rel=0.05)
    assert over.value == pytest.approx(math.sqrt(by_setting["set 0"].value * by_setting["set 1"].value))
    assert by_setting["set 0"].low < by_setting["set 0"].value < by_setting["set 0"].high
    assert over.low < 1 < over.high


def test_equals_are_as_quick_as_each_other():
    """On average over many grids: noise makes neither of them look quicker."""
    rng = np.random.default_rng(0)
    curves = 1 - np.exp(-X / 20) + rng.normal(0, 0.03, (2, 4000, 5))
    logs = np.log(factor(*curves))
    assert abs(np.nanmean(logs)) < 3 * np.nanstd(logs) / math.sqrt(4000)


def test_few_seeds_have_no_interval(make_results):
    runs = [
        make_results(
            {"random": [X] * 4, "a": [2 * X] * 4}, labeled=LABELED, experiment=f"e{i}", name=f"s{i}", metric="f1"
        )
        for i in range(2)
    ]
    by_setting, over = settings(runs).speed_ups["a"]
    assert math.isnan(over.low)
    assert math.isnan(by_setting["s0"].low)
