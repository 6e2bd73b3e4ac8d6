import numpy as np
import pytest

from alharness.testing.laws import p_value


def choices(queries, weights, size, seed):
    """Queries and samples: whether it was chosen."""
    rng = np.random.default_rng(seed)
    chosen = np.zeros((queries, len(weights)), bool)
    for row in chosen:
        row[rng.choice(len(weights), size, replace=False, p=weights / weights.sum())] = True
    return chosen


def test_p_values_of_one_law_are_uniform():
    even = np.ones(12)
    found = np.array([p_value(choices(40, even, 4, 2 * i), choices(40, even, 4, 2 * i + 1)) for i in range(40)])
    assert 0.35 < found.mean() < 0.65
    assert found.min() < 0.2


def test_picks_that_come_together_are_no_difference():
    # All of the first half or all of the second: the picks of one choice are as dependent as they can be.
    rng = np.random.default_rng(0)
    halves = np.repeat(rng.integers(0, 2, (40, 100, 1)), 6, axis=2)
    chosen = np.concatenate([halves, 1 - halves], axis=2).astype(bool)
    found = np.array([p_value(a[:50], a[50:]) for a in chosen])
    assert (found < 0.05).mean() < 0.15


@pytest.mark.parametrize("factor", [3.0, 1 / 3])
def test_a_factor_of_three_for_half_of_the_samples_is_seen(factor):
    even, uneven = np.ones(24), np.where(np.arange(24) < 12, factor, 1)
    found = [p_value(choices(100, even, 6, i), choices(100, uneven, 6, 100 + i)) for i in range(5)]
    assert max(found) < 1e-3


def test_equal_choices_are_never_a_difference():
    chosen = choices(20, np.ones(8), 3, 0)
    assert p_value(chosen, chosen) > 0.5


def test_a_choice_that_is_always_the_same_is_one_law():
    always = np.tile(np.arange(8) < 3, (20, 1))
    assert p_value(always, always) == 1


def test_two_choices_that_are_always_the_same_are_two_laws():
    always = np.tile(np.arange(8) < 3, (20, 1))
    assert p_value(always, ~always[:, ::-1]) < 1e-3
