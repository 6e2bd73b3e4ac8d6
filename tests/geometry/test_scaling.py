import pytest
import torch

from alharness import SamplerError
from alharness.geometry import min_max


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
