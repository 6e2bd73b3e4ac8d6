"""Dropout in predictions."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from alharness.engine.dropout import dropout_on

X = torch.arange(1.0, 40_001).view(400, 100)


def dropped(seed, p=0.3, calls=1, **more):
    """What some calls in a row make of X."""
    layer = nn.Dropout(p, **more).eval()
    with dropout_on(layer, seed):
        return [layer(X.clone()) for _ in range(calls)]


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("inplace", [False, True])
def test_numbers_are_kept_with_their_probability_and_scaled(p, inplace):
    (found,) = dropped(0, p, inplace=inplace)
    kept = found != 0
    torch.testing.assert_close(found[kept], X[kept] / (1 - p))
    # Five standard deviations of a share of 40,000 are less than 0.013; of a column of 400, less than 0.13.
    assert abs(kept.float().mean() - (1 - p)) < 0.013
    assert ((kept.float().mean(0) - (1 - p)).abs() < 0.13).all()


def test_what_is_kept_depends_on_the_seed_and_the_call_alone():
    before = torch.get_rng_state()
    first, second = dropped(4, calls=2)
    torch.manual_seed(3)
    again = dropped(4, calls=2)
    assert torch.equal(first, again[0])
    assert torch.equal(second, again[1])
    assert not torch.equal(first, second)
    assert not torch.equal(first, dropped(5)[0])
    torch.set_rng_state(before)
    dropped(4)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_nothing_or_all_is_dropped_as_torch_does(p):
    assert torch.equal(dropped(0, p)[0], functional.dropout(X, p))


def test_the_type_of_numbers_stays():
    with dropout_on(nn.Identity(), 0):
        assert functional.dropout(X.double(), 0.5).dtype == torch.float64


def test_dropout_that_a_model_turned_off_stays_off():
    with dropout_on(nn.Identity(), 0):
        assert torch.equal(functional.dropout(X, 0.5, training=False), X)
