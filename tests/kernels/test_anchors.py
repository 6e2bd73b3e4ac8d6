import math

import numpy as np
import pytest
import torch

from alharness import SamplerError
from alharness.kernels import estimate_mean_distances, sum_of_distances


def normal(n, d, seed=0, dtype=torch.float64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def draw(n, m, seed):
    return torch.from_numpy(np.random.default_rng(seed).choice(n, m, replace=False))


def exact(features):
    return sum(sum_of_distances(X) for X in features) / (len(features[0]) - 1)


def oracle(features, anchors):
    means, errors = [], []
    n = len(features[0])
    rows = [X.tolist() for X in features]
    for p in range(n):
        distances = [sum(math.dist(X[p], X[q]) for X in rows) for q in anchors.tolist() if q != p]
        k = len(distances)
        means.append(np.mean(distances))
        errors.append(math.sqrt(np.var(distances, ddof=1) / k * (1 - k / (n - 1))))
    return torch.tensor(means, dtype=torch.float64), torch.tensor(errors, dtype=torch.float64)


@pytest.fixture
def features():
    return [normal(40, 5), 3 * normal(40, 2, 1)]


@pytest.mark.parametrize("m", [3, 11, 39])
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_equals_a_double_loop(features, m, block):
    anchors = draw(40, m, 0)
    found = estimate_mean_distances(features, anchors, block=block)
    means, errors = oracle(features, anchors)
    torch.testing.assert_close(found.means, means, rtol=1e-12, atol=0)
    torch.testing.assert_close(found.errors, errors, rtol=1e-9, atol=1e-12)


def test_all_points_as_anchors_are_exact_and_without_error(features):
    found = estimate_mean_distances(features, torch.randperm(40, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(found.means, exact(features), rtol=1e-12, atol=0)
    assert found.errors.tolist() == [0.0] * 40


@pytest.fixture(scope="module")
def repeated():
    """(1000, 40) estimates from 6 anchors of 40, their squared errors, and the truth."""
    features = [normal(40, 5), 3 * normal(40, 2, 1)]
    found = [estimate_mean_distances(features, draw(40, 6, seed)) for seed in range(1000)]
    return torch.stack([f.means for f in found]), torch.stack([f.errors for f in found]).square(), exact(features)


def test_is_right_on_average(repeated):
    means, _, truth = repeated
    z = (means.mean(0) - truth) / (means.std(0) / math.sqrt(len(means)))
    assert z.abs().max() < 4
    assert z.square().mean() < 2


def test_squared_errors_are_right_on_average(repeated):
    means, squares, truth = repeated
    ratio = squares.mean(0) / (means - truth).square().mean(0)
    assert ratio.mean() == pytest.approx(1, abs=0.05)
    assert ((ratio > 0.7) & (ratio < 1.4)).all()


@pytest.mark.parametrize("offset", [0, 1e3, 1e5])
def test_an_offset_costs_float32_no_digits(offset):
    X = normal(60, 12, dtype=torch.float32) + offset
    anchors = draw(60, 20, 0)
    found = estimate_mean_distances([X], anchors)
    torch.testing.assert_close(found.means, oracle([X], anchors)[0], rtol=1e-6, atol=0)


def test_a_point_is_at_distance_exactly_0_from_itself():
    # The product form leaves about the root of its rounding error on the diagonal.
    X = 1e-3 * normal(3, 20, dtype=torch.float32) + torch.tensor([[0.0], [0.0], [1e3]])
    found = estimate_mean_distances([X[:2].repeat(2, 1)], torch.arange(4))
    assert found.means.tolist() == pytest.approx([2 / 3 * math.dist(*X[:2].tolist())] * 4, rel=1e-3)


@pytest.mark.parametrize(("n", "mean"), [(1, 0.0), (2, 5.0)])
def test_pools_too_small_for_three_anchors(n, mean):
    found = estimate_mean_distances([torch.tensor([[0.0, 0.0], [3.0, 4.0]])[:n]], torch.arange(n))
    assert found.means.tolist() == [mean] * n
    assert found.errors.tolist() == [0.0] * n


def test_refuses_anchors_too_few_for_an_error(features):
    with pytest.raises(SamplerError, match="2 anchors leave no estimate of the error; take at least 3"):
        estimate_mean_distances(features, torch.tensor([4, 7]))


def test_refuses_rows_that_are_not_finite_and_counts_them(features):
    features[1][[2, 5], 1] = torch.nan
    with pytest.raises(SamplerError, match="2 of 40 rows of the features are not finite"):
        estimate_mean_distances(features, torch.arange(5))


def test_leaves_its_inputs_alone(features):
    before = [X.clone() for X in features]
    estimate_mean_distances(features, torch.arange(5))
    assert all(map(torch.equal, features, before))
