import pytest
import torch
from torch.nn.functional import adaptive_avg_pool1d

from alharness_sentiment.lfmim.pooling import WeightedSum, pool_steps

SIZE = 5


@pytest.fixture
def x():
    return torch.randn(6, 23, 3, generator=torch.Generator().manual_seed(0))


def test_long_sequences_are_pooled_as_adaptive_pooling_does(x):
    steps, valid = pool_steps(x, None, SIZE)
    torch.testing.assert_close(steps, adaptive_avg_pool1d(x.transpose(1, 2), SIZE).transpose(1, 2))
    assert valid.all()


def test_each_sequence_is_pooled_over_its_own_length(x):
    lengths = torch.tensor([23, 6, 5, 3, 1, 0])
    for row, length in enumerate(lengths.tolist()):
        x[row, max(length, 1) :] = float("nan")  # padding that must never be looked at
    steps, valid = pool_steps(x, lengths, SIZE)
    for row, length in enumerate((23, 6)):
        expected = adaptive_avg_pool1d(x[row, :length].T[None], SIZE)[0].T
        torch.testing.assert_close(steps[row], expected)
    assert valid.sum(1).tolist() == [5, 5, 5, 3, 1, 1]
    for row, length in ((2, 5), (3, 3), (4, 1), (5, 1)):
        assert torch.equal(steps[row, :length], x[row, :length])
        assert (steps[row, length:] == 0).all()


def test_short_sequences_keep_their_steps_and_are_filled_with_zeros(x):
    x = x[:, :4].clone()
    x[1, 2:] = float("nan")
    steps, valid = pool_steps(x, torch.tensor([4, 2, 4, 4, 4, 0]), SIZE)
    assert torch.equal(steps[0, :4], x[0])
    assert torch.equal(steps[1, :2], x[1, :2])
    assert (steps[1, 2:] == 0).all()
    assert (steps[:, 4] == 0).all()
    assert valid.sum(1).tolist() == [4, 2, 4, 4, 4, 1]


def test_small_values_beside_large_ones_are_not_lost():
    x = torch.full((1, 900, 1), 1e6)
    x[:, 890:] = 1e-3
    steps, _ = pool_steps(x, None, 90)
    torch.testing.assert_close(steps[0, -1, 0], torch.tensor(1e-3), rtol=1e-3, atol=0)


def test_steps_are_summed_with_their_weights(x):
    pool = WeightedSum(23, 3)
    expected = (pool.weight[None, :, None] * torch.nn.functional.layer_norm(x, (3,))).sum(1)
    torch.testing.assert_close(pool(x), expected)
    assert 0 <= pool.weight.min() < pool.weight.max() <= 23**-0.5
