import math

import numpy as np
import pytest

from alharness.results.worth import Worth, weigh

SIZES = [10, 20, 30, 60]


def models(*shares, n=400):
    """(n, models) 1 if a sample is classified right: of so many in a model, on samples of no order."""
    rng = np.random.default_rng(0)
    return np.column_stack([rng.permutation(np.arange(n) < share * n) for share in shares]).astype(float)


def test_labels_are_saved_if_fewer_reach_the_same():
    random, *sampler = models(0.6, 0.4, 0.6, 0.8, 0.9).T
    found = weigh(random, SIZES, np.column_stack(sampler), 30)
    assert found.gain == pytest.approx(0.2)
    assert found.saved == pytest.approx(10)
    assert 0.1 < found.gain_low < 0.2 < found.gain_high < 0.3
    assert 5 < found.saved_low <= 10 <= found.saved_high < 15
    assert found.sure


def test_more_labels_may_be_needed():
    random, *sampler = models(0.8, 0.4, 0.5, 0.6, 0.8).T
    found = weigh(random, SIZES, np.column_stack(sampler), 30)
    assert found.saved == pytest.approx(-30)
    assert found.sure


def test_it_may_never_be_reached():
    random, *sampler = models(0.9, 0.4, 0.5, 0.6, 0.6).T
    found = weigh(random, SIZES, np.column_stack(sampler), 30)
    assert found.saved == found.saved_low == -math.inf


def test_nothing_is_sure_of_equals():
    random, *sampler = models(0.6, 0.4, 0.5, 0.6, 0.7).T
    found = weigh(random, SIZES, np.column_stack(sampler), 30)
    assert not found.sure
    assert found.saved_low < 0 < found.saved_high


def test_errors_are_compared_as_well():
    rng = np.random.default_rng(1)
    random = -rng.random(200)
    sampler = np.column_stack([2 * random, random, random / 2, random / 4])
    assert weigh(random, SIZES, sampler, 30).saved == pytest.approx(10)


@pytest.mark.parametrize("level", [0.9, 0.6])
def test_a_journal_keeps_it(level):
    random, *sampler = models(level, 0.4, 0.5, 0.6, 0.7).T
    found = weigh(random, SIZES, np.column_stack(sampler), 30)
    assert Worth.of({"radius": 1.0, **found.numbers}) == found


def test_without_a_share_there_is_none():
    assert Worth.of({"radius": 1.0}) is None


def test_intervals_hold_as_often_as_they_say():
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(200):
        right = rng.random((60, 5)) < [0.7, 0.5, 0.65, 0.75, 0.8]
        found = weigh(right[:, 0].astype(float), SIZES, right[:, 1:].astype(float), 30)
        inside += found.gain_low <= 0.05 <= found.gain_high
    assert 0.9 <= inside / 200 <= 0.99
