"""Areas of different settings on one scale, and what is refused."""

import math

import numpy as np
import pytest

from alharness.results.scores import FULL, GAIN
from alharness.results.settings import settings


def curve(first, last, area):
    """Of three cycles, equally far apart, with this area."""
    return [first, 2 * area - (first + last) / 2, last]


@pytest.fixture
def make(make_results):
    def build(number, curves, **more):
        return make_results(
            curves, labeled=(10, 20, 30), experiment=f"e{number}", name=f"set {number}", **{"metric": "f1", **more}
        )

    return build


def rows(first, last, area, n=5):
    return [curve(first + 0.01 * i, last + 0.01 * i, area + 0.01 * i) for i in range(n)]


def two(make, **more):
    """Two settings on different scales, in which `a` is better by a tenth of Random's gain, and by a fifth."""
    one = {"random": rows(0.2, 0.6, 0.4), "a": rows(0.2, 0.6, 0.44)}
    falls = {"random": rows(50.0, 10.0, 30.0), "a": rows(50.0, 10.0, 22.0)}
    return settings([make(0, one, **more), make(1, falls, metric="mae", lower_is_better=("mae",))])


def test_a_score_is_the_difference_to_random_in_units_of_what_random_gains(make):
    found = two(make).scores
    assert found.unit == GAIN
    assert found.counts == (5, 5)
    assert found.differences["a"] == pytest.approx([0.1, 0.2])
    assert found.differences["random"] == pytest.approx([0, 0])
    assert found.values[0].reshape(2, 5).mean(axis=1) == pytest.approx([0, 0])


def test_with_models_trained_with_all_labels_in_each_setting_they_are_the_unit(make):
    full = {"references": [0.8 + 0.01 * i for i in range(5)]}
    curves = {"random": rows(0.2, 0.6, 0.4), "a": rows(0.2, 0.6, 0.44)}
    both = settings([make(0, curves, **full), make(1, curves, **full)])
    assert both.scores.unit == FULL
    assert both.scores.differences["a"] == pytest.approx([0.1, 0.1])  # 0.04 of 0.8 - 0.4
    assert settings([make(0, curves, **full), make(1, curves)]).scores.unit == GAIN


def test_what_is_paired_by_seed_is_compared_so(make):
    rng = np.random.default_rng(0)
    alike = rng.normal(0, 0.05, 8)

    def curves():
        own = rng.normal(0, 0.002, (2, 8))
        return {
            name: [curve(0.2, 0.6, 0.4 + better + s + o) for s, o in zip(alike, own[i], strict=True)]
            for i, (name, better) in enumerate((("random", 0.0), ("a", 0.01)))
        }

    found = settings([make(i, curves()) for i in range(3)]).scores
    gain, mean = found.gain("a"), found.interquartile_mean("a")
    assert gain.excludes(0)
    assert gain.high - gain.low < (mean.high - mean.low) / 5
    assert found.improvement("a").value < 0.7  # by the definition of rliable, whose runs are not paired


def test_profiles_and_posteriors(make):
    found = two(make).scores
    at = np.array([-10.0, 10.0])
    share, low, high = found.profile("a", at)
    assert np.stack([share, low, high]) == pytest.approx(np.array([[1, 0]] * 3))
    assert "needs 5 of them, and these are 2" in found.without_posterior
    curves = {"random": rows(0.2, 0.6, 0.4), "a": rows(0.2, 0.6, 0.44)}
    five = settings([make(i, curves) for i in range(5)]).scores
    assert five.without_posterior == ""
    assert five.posterior("a").better > 0.95
    assert five.posterior("a", equivalent=0.5).same > 0.95


def test_too_few_seeds_have_no_interval_and_a_sentence_why(make):
    few = {"random": rows(0.2, 0.6, 0.4, 4), "a": rows(0.2, 0.6, 0.44, 4)}
    enough = {"random": rows(0.2, 0.6, 0.4), "a": rows(0.2, 0.6, 0.44)}
    found = settings([make(0, enough), make(1, few)]).scores
    assert "need 5 seeds in each setting, and set 1 has fewer" in found.without_intervals
    gain = found.gain("a")
    assert gain.value == pytest.approx(0.1)
    assert math.isnan(gain.low)
    assert not gain.excludes(0)
    assert np.isnan(found.profile("a", np.array([0.0]))[1]).all()


def test_one_setting_is_refused(make):
    curves = {"random": rows(0.2, 0.6, 0.4), "a": rows(0.2, 0.6, 0.44)}
    assert "averaged over 2 settings or more" in settings([make(0, curves)]).scores.refusal


def test_without_random_there_is_no_scale(make):
    curves = {"b": rows(0.2, 0.6, 0.4), "a": rows(0.2, 0.6, 0.44)}
    assert "add `random`" in settings([make(i, curves) for i in range(3)]).scores.refusal


def test_a_setting_in_which_random_gains_nothing_is_left_out(make):
    rng = np.random.default_rng(1)
    flat = {name: [curve(0.5, 0.5 + rng.normal(0, 0.02), 0.5) for _ in range(5)] for name in ("random", "a")}
    curves = {"random": rows(0.2, 0.6, 0.4), "a": rows(0.2, 0.6, 0.44)}
    found = settings([make(0, curves), make(1, flat), make(2, curves)]).scores
    assert found.settings == ("set 0", "set 2")
    assert found.left_out == (f"set 1 is not on the common scale: {GAIN} is not surely positive there",)


def test_replicates_of_random_are_runs_of_their_own(make):
    """A run of `a` beats one replicate of Random in every seed, and the other in none."""
    low, high = rows(0.2, 0.6, 0.30), rows(0.2, 0.6, 0.50)
    curves = {"random": low, "a": rows(0.2, 0.6, 0.40)}
    found = settings([make(i, curves, replicates=[[row] for row in high]) for i in range(2)]).scores
    assert found.replicates.shape == (2, 10)
    assert found.improvement("a").value == pytest.approx(0.5)
    assert found.gain("a").value == pytest.approx(0)
    assert found.profile("random", np.array([0.0]))[0] == pytest.approx([0.5])
    one_fewer = settings([make(0, curves, replicates=[[row] for row in high]), make(1, curves)]).scores
    assert one_fewer.replicates.shape == (1, 10)
