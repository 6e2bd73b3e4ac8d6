import pytest
import torch

from alharness import SamplerError
from alharness.kernels import min_max, ranks


def test_maps_the_smallest_to_0_and_the_largest_to_1():
    assert min_max(torch.tensor([3.0, -1.0, 1.0])).tolist() == [1.0, 0.0, 0.5]


@pytest.mark.parametrize("value", [-2.5, 0.0, 7.0])
def test_a_constant_criterion_is_1_everywhere(value):
    assert min_max(torch.full((4,), value)).tolist() == [1.0] * 4


def test_one_sample_is_a_constant_criterion():
    assert min_max(torch.tensor([0.3])).tolist() == [1.0]


def test_a_range_of_rounding_errors_is_constant_when_tolerated():
    noisy = torch.tensor([1.0, 1.0 + 1e-7, 1.0])
    assert min_max(noisy, tolerance=1e-6).tolist() == [1.0] * 3


def test_a_small_range_counts_where_nothing_is_tolerated():
    assert min_max(torch.tensor([1.0, 1.0 + 1e-7], dtype=torch.float64)).tolist() == [0.0, 1.0]


def test_an_empty_pool_has_an_empty_criterion():
    assert min_max(torch.empty(0)).shape == (0,)


def test_refuses_what_is_not_finite_and_counts_it():
    with pytest.raises(SamplerError, match="1 of 3 rows"):
        min_max(torch.tensor([0.0, torch.nan, 1.0]))


@pytest.mark.parametrize("seed", range(3))
def test_ranks_agree_with_scipy(seed):
    from scipy.stats import rankdata

    values = torch.randint(-9, 9, (50,), generator=torch.Generator().manual_seed(seed)).double() / 7
    expected = (rankdata(values.numpy()) - 1) / 49
    torch.testing.assert_close(ranks(values), torch.from_numpy(expected), rtol=1e-15, atol=0)


def test_ranks_reach_from_0_to_1():
    assert ranks(torch.tensor([3.0, -1.0, 1e9])).tolist() == [0.5, 0.0, 1.0]


@pytest.mark.parametrize("n", [0, 1, 4])
def test_ranks_of_a_constant_are_1(n):
    assert ranks(torch.full((n,), -2.5)).tolist() == [1.0] * n


def test_rounding_errors_are_not_ranked_when_tolerated():
    noise = torch.tensor([0.0, 2e-8, 1e-8, 3e-8, -1e-8], dtype=torch.float64)
    values = torch.tensor([1.0, 1.0, 1.0, 2.0, 2.0], dtype=torch.float64)
    assert ranks(values + noise, tolerance=1e-6).tolist() == [0.25, 0.25, 0.25, 0.875, 0.875]


def test_a_range_of_rounding_errors_has_constant_ranks_when_tolerated():
    noisy = torch.tensor([1.0, 1.0 + 1e-9], dtype=torch.float64)
    assert ranks(noisy, tolerance=1e-6).tolist() == [1.0, 1.0]


def test_a_dense_criterion_keeps_its_order_whatever_is_tolerated():
    values = torch.linspace(1, 2, 5001, dtype=torch.float64)
    torch.testing.assert_close(ranks(values, tolerance=1e-3), values - 1)


def test_small_differences_are_ranked_where_nothing_is_tolerated():
    assert ranks(torch.tensor([1.0, 1.0 + 1e-7], dtype=torch.float64)).tolist() == [0.0, 1.0]


def test_ranks_refuse_what_is_not_finite_and_count_it():
    with pytest.raises(SamplerError, match="1 of 3 rows"):
        ranks(torch.tensor([0.0, torch.nan, 1.0]))
