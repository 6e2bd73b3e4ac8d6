"""Statistics over settings and seeds, compared with rliable 1.2.0 and baycomp 1.0.3, whose figures these are.

rliable drew 50,000 resamples for means and 20,000 for the others, each sampler by itself; baycomp drew 200,000.
"""

import math

import numpy as np
import pytest

from alharness.results.aggregate import (
    bounds,
    interquartile_mean,
    plain_weights,
    probability_of_improvement,
    profile,
    resampled_weights,
    signed_rank,
)

RLIABLE = {
    (5, 4): {
        "mean": (-0.16, -0.24, -0.09),
        "improvement": (0.465, 0.375, 0.55),
        "profile": [(0.7, 0.5, 0.85), (0.05, 0.0, 0.15), (0.0, 0.0, 0.0)],
    },
    (7, 3): {
        "mean": (-0.08181818181818182, -0.1636, -0.0091),
        "improvement": (0.6972789115646258, 0.534, 0.8537),
        "profile": [(6 / 7, 0.7143, 1.0), (4 / 21, 0.0476, 0.3333), (1 / 21, 0.0, 0.1429)],
    },
    (3, 10): {
        "mean": (-0.075, -0.1188, -0.0312),
        "improvement": (0.5666666666666667, 0.4889, 0.6444),
        "profile": [(0.7, 0.6, 0.8), (11 / 30, 0.2667, 0.4667), (7 / 30, 0.2, 0.3)],
    },
}
"""(seeds, settings) -> value and ends of its interval; profiles at -0.3, 0 and 0.2."""
BAYCOMP = [
    ([0.02, 0.03, -0.01, 0.04, 0.05, 0.01], 0.01, (0.0, 0.07638, 0.92362)),
    ([0.02, 0.03, -0.01, 0.04, 0.05, 0.01], 0.03, (0.0, 0.80952, 0.19048)),
    ([0.1, 0.2, 0.15, 0.12, 0.3], 0.05, (0.0, 0.00126, 0.99874)),
    ([-0.1, 0.2, -0.15, 0.12, 0.02, -0.03, 0.0, 0.01], 0.05, (0.12013, 0.677745, 0.202125)),
    ([0.01] * 6, 0.05, (0.0, 1.0, 0.0)),
]
"""Differences, half the width of the region of equivalence -> worse, same, better."""


@pytest.fixture(params=RLIABLE, ids=lambda size: f"{size[0]} seeds, {size[1]} settings")
def example(request):
    """Scores of two samplers with ties, (2, runs) setting by setting; seeds of each setting; what rliable says."""
    n, settings = request.param
    rng = np.random.default_rng(n)
    means = rng.normal(0, 0.3, (2, settings))
    scores = np.round(means[:, None, :] + rng.normal(0, 0.2, (2, n, settings)), 1)
    return scores.transpose(0, 2, 1).reshape(2, -1), [n] * settings, RLIABLE[request.param]


def percentiles(drawn):
    return np.quantile(drawn, [0.025, 0.975], axis=0)


def test_interquartile_mean_as_rliable_has_it(example):
    (one, _), counts, theirs = example
    value, *ends = theirs["mean"]
    assert interquartile_mean(one[None], plain_weights(counts))[0, 0] == pytest.approx(value)
    drawn = interquartile_mean(one[None], resampled_weights(counts))
    assert percentiles(drawn[0]) == pytest.approx(ends, abs=0.012)


def test_probability_of_improvement_as_rliable_has_it(example):
    (one, other), counts, theirs = example
    value, *ends = theirs["improvement"]
    assert probability_of_improvement(one, other, counts, plain_weights(counts)) == pytest.approx(value)
    # rliable draws the seeds of the two samplers each by themselves, and these are independent.
    drawn = probability_of_improvement(one, other, counts, resampled_weights(counts))
    assert percentiles(drawn) == pytest.approx(ends, abs=0.07)


def test_performance_profile_as_rliable_has_it(example):
    (one, _), counts, theirs = example
    at = np.array([-0.3, 0.0, 0.2])
    values, *ends = zip(*theirs["profile"], strict=True)
    assert profile(one, plain_weights(counts), at)[0] == pytest.approx(values)
    drawn = profile(one, resampled_weights(counts), at)
    assert percentiles(drawn) == pytest.approx(np.array(ends), abs=0.06)


@pytest.mark.parametrize(("differences", "equivalent", "theirs"), BAYCOMP)
def test_signed_rank_test_as_baycomp_has_it(differences, equivalent, theirs):
    found = signed_rank(differences, equivalent)
    assert (found.worse, found.same, found.better) == pytest.approx(theirs, abs=0.012)
    assert found.settings == len(differences)


def test_the_other_way_round_the_signed_rank_test_says_the_opposite():
    found, other = signed_rank([0.1, 0.2, -0.3, 0.1, 0.4], 0.05), signed_rank([-0.1, -0.2, 0.3, -0.1, -0.4], 0.05)
    assert (found.worse, found.same, found.better) == (other.better, other.same, other.worse)


def test_settings_count_alike_however_many_seeds_they_have():
    scores, counts = np.array([[0.0] * 4 + [1.0] * 16]), [4, 16]
    assert plain_weights(counts)[0, :4].sum() == pytest.approx(0.5)
    assert interquartile_mean(scores, plain_weights(counts))[0, 0] == pytest.approx(0.5)
    drawn = resampled_weights(counts, 50)
    assert drawn[:, :4].sum(axis=1) == pytest.approx([0.5] * 50)


def test_an_interval_is_wider_than_that_of_plain_percentiles_and_less_so_with_more_seeds():
    def excess(n):
        scores, counts = np.random.default_rng(1).normal(size=(1, 3 * n)), [n] * 3
        drawn = interquartile_mean(scores, resampled_weights(counts))[0]
        low, high = bounds(drawn, counts)
        return (high - low) / np.diff(percentiles(drawn))[0]

    assert excess(5) > 1.1 > excess(10) > excess(40) > 1


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "settings"), [(5, 2), (5, 10), (10, 4)])
def test_intervals_hold_the_true_value(seeds, settings):
    """In 95 of 100 grids, with samplers that share what a seed is like and differ from setting to setting."""
    rng, repeats, hits = np.random.default_rng(seeds * settings), 150, np.zeros(2)

    def draw(means, n):
        alike = rng.normal(0, 0.1, (1, settings, n))
        own = rng.normal(0, 0.1, (2, settings, n)) * np.array([1.0, 1.5])[:, None, None]
        return (means[:, :, None] + alike + own).reshape(2, -1)

    def statistics(scores, counts, weights):
        means = interquartile_mean(scores, weights)
        return np.stack([means[1] - means[0], probability_of_improvement(scores[1], scores[0], counts, weights)])

    for _ in range(repeats):
        means = rng.normal(0, 0.15, (2, settings)) + np.array([[0.0], [0.1]])
        many, few = [400] * settings, [seeds] * settings
        truth = statistics(draw(means, 400), many, plain_weights(many))[:, 0]
        low, high = bounds(statistics(draw(means, seeds), few, resampled_weights(few, 599)), few)
        hits += (low <= truth) & (truth <= high)
    assert hits.min() / repeats > 0.95 - 3 * math.sqrt(0.05 * 0.95 / repeats)
