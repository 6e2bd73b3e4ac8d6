"""Ranks over settings, compared with the formulas of Demšar (JMLR 2006)."""

import math

import numpy as np
import pytest

from alharness.results.settings import rank

QUANTILES = {3: 2.344, 5: 2.728, 8: 3.031}
"""Of the studentized range, divided by √2: Demšar's table 5a."""


@pytest.mark.parametrize("k", QUANTILES)
def test_the_critical_difference(k):
    values = np.random.default_rng(k).normal(size=(7, k))
    found = rank([str(i) for i in range(k)], [str(i) for i in range(7)], values)
    assert found.critical == pytest.approx(QUANTILES[k] * math.sqrt(k * (k + 1) / (6 * 7)), rel=3e-4)
    assert found.refusal == ""


def test_friedman_by_his_formula():
    values = np.random.default_rng(3).normal(size=(9, 4)) + np.array([0, 0.5, 1, 1.5])
    found = rank("abcd", "123456789", values)
    n, k = 9, 4
    chi = 12 * n / (k * (k + 1)) * ((found.average**2).sum() - k * (k + 1) ** 2 / 4)
    # Survival of chi-squared with 3 degrees of freedom, in closed form.
    survival = math.erfc(math.sqrt(chi / 2)) + math.sqrt(2 * chi / math.pi) * math.exp(-chi / 2)
    assert found.p == pytest.approx(survival)
    # Kendall's W: the spread of rank sums over the largest there can be.
    sums = found.ranks.sum(0)
    assert found.agreement == pytest.approx(12 * ((sums - sums.mean()) ** 2).sum() / (n**2 * (k**3 - k)))


def test_the_best_is_first_and_ties_share():
    found = rank("abc", "12", np.array([[0.9, 0.5, 0.5], [0.2, 0.3, 0.1]]))
    assert found.ranks.tolist() == [[1, 2.5, 2.5], [2, 1, 3]]
    assert found.average.tolist() == [1.5, 1.75, 2.75]


@pytest.mark.parametrize(("n", "k", "word"), [(4, 3, "settings"), (5, 2, "samplers")])
def test_too_few_are_refused_with_a_reason(n, k, word):
    found = rank("abc"[:k], "12345"[:n], np.random.default_rng(0).normal(size=(n, k)))
    assert word in found.refusal
    assert math.isnan(found.p)
    assert math.isnan(found.critical)


def test_where_nothing_differs_one_experiment_in_twenty_says_otherwise():
    rng = np.random.default_rng(0)
    repeats, friedman, nemenyi = 500, 0, 0
    for _ in range(repeats):
        found = rank("abcde", "12345678", rng.normal(size=(8, 5)))
        friedman += found.p < 0.05
        nemenyi += np.ptp(found.average) > found.critical
    slack = 3 * math.sqrt(0.05 * 0.95 / repeats)
    assert 0.01 < friedman / repeats < 0.05 + slack
    assert 0.01 < nemenyi / repeats < 0.05 + slack
