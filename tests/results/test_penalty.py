"""The pairwise penalty matrix."""

import itertools

import numpy as np
import pytest

from alharness.results.penalty import checkpoints, penalties

LABELED = tuple(range(100, 1100, 100))


def matrix(make_results, curves, labels=None):
    results = make_results(curves, labeled=LABELED[: len(next(iter(curves.values()))[0])])
    return penalties([results], labels or list(curves))


def test_identical_samplers_have_no_penalties(make_results, noisy):
    same = noisy(6)
    found = matrix(make_results, {"random": same, "a": same, "b": same})
    assert not found.matrix.any()
    assert found.tests == 0


def test_a_sampler_that_is_always_better_has_one_and_zero(make_results, noisy):
    better = noisy(6, seed=1, noise=1e-5) - 0.05
    found = matrix(make_results, {"random": noisy(6, noise=1e-5), "a": better})
    assert found.matrix.tolist() == [[0, 0], [1, 0]]
    assert found.column_means.tolist() == [1, 0]


def test_permuting_samplers_permutes_the_matrix(make_results, noisy):
    curves = {"random": noisy(6), "a": noisy(6, 1.0, seed=1), "b": noisy(6, 0.3, seed=2)}
    straight = matrix(make_results, curves)
    for order in itertools.permutations(range(3)):
        labels = [list(curves)[i] for i in order]
        assert np.array_equal(matrix(make_results, curves, labels).matrix, straight.matrix[np.ix_(order, order)])


def test_by_hand(make_results, noisy):
    """All pairs at all checkpoints by scipy's paired test, corrected step by step."""

    from scipy import stats

    curves = {
        "random": noisy(6, cycles=9),
        "a": noisy(6, 0.6, seed=1, cycles=9),
        "b": noisy(6, 0.02, seed=2, cycles=9),
    }
    found = matrix(make_results, curves)
    cycles = [LABELED.index(n) for n in found.checkpoints]
    assert cycles == [1, 2]  # at cycle 4 Random has its final value
    tests = {}
    for one, other in itertools.combinations(curves, 2):
        for cycle in cycles:
            a, b = curves[one][:, cycle], curves[other][:, cycle]
            winner = (one, other) if a.mean() < b.mean() else (other, one)
            tests[winner, cycle] = stats.ttest_rel(a, b).pvalue
    rejected = set()
    for step, (key, p) in enumerate(sorted(tests.items(), key=lambda item: item[1])):
        if p > 0.05 / (len(tests) - step):
            break
        rejected.add(key)
    labels = list(curves)
    expected = np.zeros((3, 3))
    for (winner, loser), _ in rejected:
        expected[labels.index(winner), labels.index(loser)] += 1 / 2
    assert found.tests == 6
    assert 0 < len(rejected) < 6
    assert found.matrix == pytest.approx(expected)
    assert found.column_means == pytest.approx(expected.sum(0) / 2)


def test_checkpoints_double_and_end_where_random_is_saturated():
    falling = np.array([0.5, 0.45, 0.41, 0.39, 0.37, 0.36, 0.355, 0.352, 0.3505, 0.3501, 0.35])
    assert checkpoints(range(11), falling, lower_is_better=True) == [1, 2, 4]
    rising = np.array([0.5, 0.6, 0.7, 0.75, 0.8, 0.82, 0.84, 0.85, 0.86, 0.87, 0.88])
    assert checkpoints(range(11), rising, lower_is_better=False) == [1, 2, 4, 8]


def test_a_curve_that_is_flat_from_the_beginning_has_one_checkpoint():
    assert checkpoints(range(5), np.full(5, 0.4), lower_is_better=True) == [1]


def test_few_seeds_show_nothing(make_results, noisy):
    found = matrix(make_results, {"random": noisy(2), "a": noisy(2) - 0.3 + 1e-3 * np.arange(4)})
    assert not found.matrix.any()


def test_where_nothing_differs_one_matrix_in_twenty_has_an_entry(make_results):
    rng = np.random.default_rng(0)
    mean = np.array([0.5, 0.45, 0.42, 0.40, 0.38])
    repeats = 150
    wrong = sum(
        matrix(
            make_results, {x: mean + 0.01 * rng.normal(size=(5, 5)) for x in ("random", "a", "b", "c")}
        ).matrix.any()
        for _ in range(repeats)
    )
    assert wrong / repeats < 0.05 + 3 * (0.05 * 0.95 / repeats) ** 0.5
