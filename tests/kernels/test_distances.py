import math

import pytest
import torch

from alharness import SamplerError
from alharness.kernels import sum_of_distances


def normal(n, d, seed=0, dtype=torch.float64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def oracle(X):
    return torch.tensor([sum(math.dist(p, q) for q in X.tolist()) for p in X.tolist()], dtype=torch.float64)


def relative_error(X, block=7):
    exact = oracle(X)
    return float(((sum_of_distances(X, block=block) - exact) / exact).abs().max())


@pytest.mark.parametrize(("n", "d"), [(2, 3), (14, 1), (50, 8), (61, 20)])
def test_float64_equals_a_double_loop(n, d):
    assert relative_error(normal(n, d)) < 1e-12


def test_float32_is_as_good_as_its_digits():
    assert relative_error(normal(80, 16, dtype=torch.float32)) < 1e-6


@pytest.mark.parametrize("offset", [1e3, 1e5])
def test_an_offset_costs_no_digits(offset):
    assert relative_error(normal(80, 16, dtype=torch.float32) + offset) < 1e-6


def test_agrees_with_scikit_learn_at_the_default_block():
    from sklearn.metrics import pairwise_distances

    X = normal(700, 12)
    expected = torch.from_numpy(pairwise_distances(X.numpy()).sum(1))
    torch.testing.assert_close(sum_of_distances(X), expected, rtol=1e-10, atol=0)


def test_tight_clusters():
    centers = normal(6, 16)
    X = centers[torch.arange(90) % 6] + 1e-3 * normal(90, 16, seed=1)
    assert relative_error(X) < 1e-10
    assert relative_error(X.float()) < 1e-4


@pytest.mark.parametrize("block", [1, 2, 25, 99, 100, 101, 5000])
def test_does_not_depend_on_the_block(block):
    X = normal(100, 5)
    torch.testing.assert_close(sum_of_distances(X, block=block), sum_of_distances(X, block=40))


@pytest.mark.parametrize("seed", range(10))
def test_equal_rows_are_at_distance_exactly_0(seed):
    # So wide and so many that a plain mean is not quite one of them, and shows.
    X = (10 * normal(1, 1000, seed)).float().repeat(800, 1)
    assert not sum_of_distances(X).any()


def test_a_point_is_at_distance_exactly_0_from_itself():
    # The product form leaves about the root of its rounding error on the diagonal.
    pairs = normal(50, 24, dtype=torch.float32).view(50, 2, 12)
    sums = torch.stack([sum_of_distances(pair) for pair in pairs])
    torch.testing.assert_close(sums, torch.stack([oracle(pair) for pair in pairs]), rtol=1e-6, atol=0)


def test_duplicates_have_equal_sums():
    X = normal(20, 6)
    sums = sum_of_distances(torch.cat([X, X]), block=7)
    torch.testing.assert_close(sums[:20], sums[20:], rtol=1e-12, atol=0)


def test_the_sums_are_float64_for_float32_features():
    assert sum_of_distances(normal(5, 2, dtype=torch.float32)).dtype == torch.float64


@pytest.mark.parametrize("block", [100, 1000, 2000])
def test_float32_distances_are_added_in_float64(block):
    # Two places at a distance of √2, the only rounded number here.
    X = torch.tensor([[0.0, 0.0], [1.0, 1.0]]).repeat(900, 1)
    expected = 900 * float(torch.tensor(2.0).sqrt())
    assert sum_of_distances(X, block=block).tolist() == [pytest.approx(expected, rel=1e-14)] * 1800


@pytest.mark.parametrize("n", [0, 1])
def test_pools_without_a_pair(n):
    assert sum_of_distances(torch.ones(n, 3)).tolist() == [0.0] * n


def test_leaves_its_input_alone():
    X = normal(30, 4)
    before = X.clone()
    sum_of_distances(X)
    assert torch.equal(X, before)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, 1e30])
def test_refuses_rows_that_are_not_finite_and_counts_them(bad):
    X = normal(10, 3, dtype=torch.float32)
    X[[2, 5], 1] = bad
    with pytest.raises(SamplerError, match="2 of 10 rows of the features are not finite"):
        sum_of_distances(X)
