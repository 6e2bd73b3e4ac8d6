import pytest
import torch

from alharness import SamplerError
from alharness.kernels import top_k


@pytest.mark.parametrize("k", [0, 1, 5, 37, 199, 200])
def test_is_the_head_of_a_stable_descending_sort(k):
    scores = torch.randint(0, 6, (200,), generator=torch.Generator().manual_seed(k)).double()
    assert top_k(scores, k).tolist() == scores.sort(descending=True, stable=True).indices[:k].tolist()


def test_ties_go_to_the_lowest_position():
    assert top_k(torch.tensor([1.0, 2.0, 1.0, 2.0, 1.0]), 4).tolist() == [1, 3, 0, 2]


def test_zeros_of_both_signs_tie():
    assert top_k(torch.tensor([-0.0, 0.0, -0.0]), 2).tolist() == [0, 1]


@pytest.mark.parametrize("k", [-1, 4])
def test_refuses_a_count_out_of_range(k):
    with pytest.raises(SamplerError, match=f"cannot take {k} of 3"):
        top_k(torch.zeros(3), k)


def test_case_26_refuses_what_is_not_finite_and_counts_it():
    with pytest.raises(SamplerError, match="2 of 4 rows"):
        top_k(torch.tensor([0.0, torch.nan, torch.inf, 1.0]), 2)
