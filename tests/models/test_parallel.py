import pytest
import torch
from torch import nn

from alharness.models.late_fusion.parallel import ParallelLinear


@pytest.fixture
def layers():
    """A parallel layer, and ordinary ones with the same numbers."""
    torch.manual_seed(0)
    parallel, alone = ParallelLinear(3, 5, 4), [nn.Linear(5, 4) for _ in range(3)]
    with torch.no_grad():
        for i, layer in enumerate(alone):
            layer.weight.copy_(parallel.weight[i].T)
            layer.bias.copy_(parallel.bias[i, 0])
    return parallel, alone


def test_every_layer_is_an_ordinary_one(layers):
    parallel, alone = layers
    x, weights = torch.randn(3, 7, 5), torch.randn(3, 7, 4)
    expected = torch.stack([layer(part) for layer, part in zip(alone, x, strict=True)])
    torch.testing.assert_close(parallel(x), expected)
    (parallel(x) * weights).sum().backward()
    (expected * weights).sum().backward()
    for i, layer in enumerate(alone):
        torch.testing.assert_close(parallel.weight.grad[i], layer.weight.grad.T)
        torch.testing.assert_close(parallel.bias.grad[i, 0], layer.bias.grad)


def test_one_layer_alone_is_what_it_is_among_all(layers):
    parallel, alone = layers
    x = torch.randn(7, 5)
    for i, layer in enumerate(alone):
        torch.testing.assert_close(parallel.one(i, x), layer(x))


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_every_layer_starts_as_an_ordinary_one(name):
    torch.manual_seed(0)
    parallel, alone = ParallelLinear(3, 50, 2000), nn.Linear(50, 2000)
    expected = getattr(alone, name)
    values = getattr(parallel, name)
    for value in values:
        assert value.abs().max() <= 50**-0.5
        assert value.max().item() == pytest.approx(expected.max().item(), rel=0.01)
        assert value.min().item() == pytest.approx(expected.min().item(), rel=0.01)
        assert value.std().item() == pytest.approx(expected.std().item(), rel=0.05)
    assert len(torch.unique(values)) > 0.9 * values.numel()
