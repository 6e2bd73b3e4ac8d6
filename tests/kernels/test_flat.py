"""Training with parameters in one piece against plain training, parameter by parameter."""

import copy

import pytest
import torch
from torch import nn

from alharness.kernels.flat import ALIGNMENT, ELEMENTWISE, flatten


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.BatchNorm1d(7), nn.Linear(7, 3))


def make(kind, network, rate=0.01):
    first, *rest = network.parameters()
    groups = [{"params": [first], "lr": rate * 3}, {"params": rest, "weight_decay": 0.05}]
    return kind(groups, lr=rate)


def train(network, optimizer, steps=20, gradients=()):
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        x = torch.randn(8, 5, generator=generator)
        for gradient in gradients:
            gradient.zero_()
        if not gradients:
            optimizer.zero_grad()
        (network(x).square().sum() + x.sum()).backward()
        optimizer.step()


@pytest.mark.parametrize("kind", ELEMENTWISE)
def test_the_same_model_is_trained_in_one_piece(network, kind):
    begun, plain = copy.deepcopy(network), copy.deepcopy(network)
    train(plain, make(kind, plain))
    optimizer = make(kind, network)
    gradients = flatten(optimizer)
    assert len(gradients) == 2
    train(network, optimizer, gradients=gradients)
    for name, value in plain.state_dict().items():
        assert torch.allclose(network.state_dict()[name], value, rtol=1e-5, atol=1e-6), name
    assert not torch.allclose(network[0].weight, begun[0].weight, atol=1e-3)


def test_every_group_is_one_aligned_parameter_that_the_model_looks_into(network):
    optimizer = make(torch.optim.Adam, network)
    values = [p.detach().clone() for p in network.parameters()]
    assert flatten(optimizer)
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 1]
    assert all(torch.equal(p, value) for p, value in zip(network.parameters(), values, strict=True))
    (whole,) = optimizer.param_groups[1]["params"]
    with torch.no_grad():
        whole.fill_(2.5)
    assert all((p == 2.5).all() for p in list(network.parameters())[1:])
    for parameter in list(network.parameters())[1:]:
        assert parameter.untyped_storage().data_ptr() == whole.untyped_storage().data_ptr()
        assert parameter.storage_offset() % ALIGNMENT == 0


def test_gradients_land_in_the_piece_and_are_zeroed_there(network):
    optimizer = make(torch.optim.Adam, network)
    gradients = flatten(optimizer)
    network(torch.randn(4, 5)).sum().backward()
    assert all(gradient.abs().sum() > 0 for gradient in gradients)
    assert all(g["params"][0].grad is grad for g, grad in zip(optimizer.param_groups, gradients, strict=True))
    for gradient in gradients:
        gradient.zero_()
    assert all((p.grad == 0).all() for p in network.parameters())


def test_an_optimizer_that_may_look_at_whole_parameters_is_left_alone(network):
    class Own(torch.optim.Adam):
        """May do anything."""

    for optimizer in (torch.optim.LBFGS(network.parameters()), Own(network.parameters())):
        before = [p.data_ptr() for p in network.parameters()]
        assert not flatten(optimizer)
        assert len(optimizer.param_groups[0]["params"]) == 6
        assert [p.data_ptr() for p in network.parameters()] == before


def test_an_optimizer_that_has_begun_is_left_alone(network):
    optimizer = make(torch.optim.Adam, network)
    train(network, optimizer, steps=1)
    assert not flatten(optimizer)


def test_parameters_that_differ_or_are_frozen_are_left_alone(network):
    network[3].double()
    assert not flatten(torch.optim.Adam(network.parameters()))
    network[3].float()
    network[0].weight.requires_grad_(False)
    assert not flatten(torch.optim.Adam(network.parameters()))
