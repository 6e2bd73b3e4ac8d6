import math

import pytest
import torch

from alharness import SamplerError
from alharness.kernels import sum_of_cosine_distances, sum_of_squared_distances

KERNELS = {"sqeuclidean": sum_of_squared_distances, "cosine": sum_of_cosine_distances}


def normal(n, d, seed=0, dtype=torch.float64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def cosine_distance(p, q):
    norms = math.hypot(*p) * math.hypot(*q)
    return 1 - sum(a * b for a, b in zip(p, q, strict=True)) / norms if norms else 1.0


PAIRS = {"sqeuclidean": lambda p, q: math.dist(p, q) ** 2, "cosine": cosine_distance}


def oracle(name, X):
    rows = X.tolist()
    sums = [sum(PAIRS[name](p, q) for j, q in enumerate(rows) if j != i) for i, p in enumerate(rows)]
    return torch.tensor(sums, dtype=torch.float64)


def close(actual, expected, rtol=1e-12, atol=0):
    torch.testing.assert_close(actual, expected, rtol=rtol, atol=atol)


@pytest.fixture(params=KERNELS)
def name(request):
    return request.param


@pytest.mark.parametrize(("n", "d"), [(2, 3), (14, 1), (50, 8)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_a_double_loop(name, n, d, dtype):
    X = normal(n, d, dtype=dtype)
    close(KERNELS[name](X), oracle(name, X), atol=1e-12)


def test_agrees_with_scikit_learn_on_more_than_a_block(name):
    from sklearn.metrics import pairwise_distances

    X = normal(1500, 6)
    close(KERNELS[name](X), torch.from_numpy(pairwise_distances(X.numpy(), metric=name).sum(1)), rtol=1e-10)


@pytest.mark.parametrize("offset", [1e3, 1e5])
def test_an_offset_costs_squared_distances_no_digits(offset):
    X = normal(60, 12, dtype=torch.float32) + offset
    close(sum_of_squared_distances(X), oracle("sqeuclidean", X))


def test_nearly_equal_directions_cost_cosine_distances_no_digits():
    # Distances of about 1e-12, from differences that are exact in float64.
    X = torch.cat([torch.ones(40, 1, dtype=torch.float64), 1e-6 * normal(40, 1)], 1)
    angles = X[:, 1].atan()
    expected = 2 * ((angles[:, None] - angles) / 2).sin().square().sum(1)
    close(sum_of_cosine_distances(X), expected, rtol=1e-8)


@pytest.mark.parametrize("block", [1, 2, 39, 40, 41, 500])
def test_does_not_depend_on_the_block(block):
    X = normal(40, 5)
    close(sum_of_squared_distances(X, block=block), sum_of_squared_distances(X))


@pytest.mark.parametrize("zeros", [1, 3, 20])
def test_a_zero_vector_is_at_cosine_distance_1_from_every_other(zeros):
    X = normal(20, 4)
    X[:zeros] = 0
    found = sum_of_cosine_distances(X)
    close(found, oracle("cosine", X))
    assert found[:zeros].tolist() == [19.0] * zeros


@pytest.mark.parametrize("scale", [1e-30, 1e15])
def test_cosine_distances_do_not_depend_on_lengths(scale):
    X = normal(30, 4, dtype=torch.float32)
    lengths = torch.rand(30, 1, generator=torch.Generator().manual_seed(1)) + 0.5
    close(sum_of_cosine_distances(X * (scale * lengths)), sum_of_cosine_distances(X), rtol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_equal_rows_are_at_distance_exactly_0(name, seed):
    X = (10 * normal(1, 1000, seed)).float().repeat(800, 1)
    assert not KERNELS[name](X).any()


def test_opposite_rows_are_at_cosine_distance_2():
    X = normal(1, 5)
    close(sum_of_cosine_distances(torch.cat([X, -3 * X])), torch.tensor([2.0, 2.0]).double())


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_pools_without_a_pair(name, n, value):
    found = KERNELS[name](torch.full((n, 3), value))
    assert found.tolist() == [0.0] * n
    assert found.dtype == torch.float64


def test_leaves_its_input_alone(name):
    X = normal(30, 4)
    before = X.clone()
    KERNELS[name](X)
    assert torch.equal(X, before)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, 1e30])
def test_refuses_rows_that_are_not_finite_and_counts_them(name, bad):
    X = normal(10, 3, dtype=torch.float32)
    X[[2, 5], 1] = bad
    with pytest.raises(SamplerError, match="2 of 10 rows of the features are not finite"):
        KERNELS[name](X)
