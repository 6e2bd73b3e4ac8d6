"""The derivative of the loss of `late_fusion` by its parameters, written out.

A step on a few dozen samples is some hundred small operations, and most of its time goes into calling them, a
third into recording them for torch's differentiation. The network is fixed, so its derivative can be written down:
the same products in the same order, with each result added to its own gradient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from .network import LateFusion
    from .parallel import ParallelLinear


@torch.no_grad()
def differentiate(network: LateFusion, inputs: Sequence[Tensor], loss: Callable[[Tensor], Tensor]) -> Tensor:
    """Add the gradients of the loss to those of the parameters.

    Dropouts draw in the order in which the network itself has them draw.

    Args:
        network: in training mode.
        inputs: of each modality, (b, d_u), standardized.
        loss: of the outputs of all sources, (sources, b, C).

    Returns:
        The loss.
    """
    encoders, heads, fused = network.encoders, network.heads, network.fused
    modalities, b = len(inputs), len(inputs[0])

    first = torch.stack([layer(x) for layer, x in zip(encoders.first, inputs, strict=True)]).relu_()
    first_mask = _mask(encoders.dropout, first)
    dropped = _times(first, first_mask)
    z = encoders.second(dropped).relu_()

    own_mask = _mask(heads.dropout, z)
    own_input = _times(z, own_mask)
    own = heads.hidden(own_input).relu_()
    joint = z.transpose(0, 1).flatten(1)
    joint_mask = _mask(fused.dropout, joint)
    joint_input = _times(joint, joint_mask)
    shared = fused.hidden(joint_input).relu_()

    outputs = [output(x) for output, x in zip(heads.outputs, own, strict=True)]
    value, d_outputs = _by_outputs(loss, torch.stack([*outputs, fused.output(shared)]))

    d_shared = _through(fused.output, shared, d_outputs[modalities])
    d_joint = _times(_through(fused.hidden, joint_input, _where_positive(d_shared, shared)), joint_mask)
    d_own = torch.stack(
        [_through(layer, x, d) for layer, x, d in zip(heads.outputs, own, d_outputs[:modalities], strict=True)]
    )
    d_z = _times(_through_all(heads.hidden, own_input, _where_positive(d_own, own)), own_mask)
    d_z += d_joint.view(b, modalities, -1).transpose(0, 1)
    d_dropped = _through_all(encoders.second, dropped, _where_positive(d_z, z))
    d_first = _where_positive(_times(d_dropped, first_mask), first)
    for layer, x, d in zip(encoders.first, inputs, d_first, strict=True):
        _into(layer, x, d)
    return value


def _by_outputs(loss: Callable[[Tensor], Tensor], outputs: Tensor) -> tuple[Tensor, Tensor]:
    """The loss and its derivative: all of the loss that is left to torch, a few operations whatever the task."""
    with torch.enable_grad():
        value = loss(outputs.requires_grad_())
        (derivative,) = torch.autograd.grad(value, outputs)
    return value.detach(), derivative


def _mask(dropout: nn.Dropout, x: Tensor) -> Tensor | None:
    """What a dropout multiplies by; None if that is 1."""
    if dropout.p == 0 or not dropout.training:
        return None
    kept = 1 - dropout.p
    return torch.empty_like(x).bernoulli_(kept).div_(kept)


def _times(x: Tensor, mask: Tensor | None) -> Tensor:
    return x if mask is None else x * mask


def _where_positive(d: Tensor, activation: Tensor) -> Tensor:
    """Back through a ReLU."""
    result: Tensor = torch.ops.aten.threshold_backward(d, activation, 0)
    return result


def _into(layer: nn.Module, x: Tensor, d: Tensor) -> None:
    """Add to the gradients of a linear layer, from its input (b, i) and the derivative by its output (b, o)."""
    assert isinstance(layer, nn.Linear)
    _gradient(layer.weight).addmm_(d.T, x)
    _gradient(layer.bias).add_(d.sum(0))


def _through(layer: nn.Module, x: Tensor, d: Tensor) -> Tensor:
    """As `_into`; returns the derivative by the layer's input."""
    assert isinstance(layer, nn.Linear)
    _into(layer, x, d)
    return d @ layer.weight


def _through_all(layers: ParallelLinear, x: Tensor, d: Tensor) -> Tensor:
    """As `_through`, of all layers at once."""
    _gradient(layers.weight).baddbmm_(x.mT, d)
    _gradient(layers.bias).add_(d.sum(1, keepdim=True))
    return d @ layers.weight.mT


def _gradient(parameter: Tensor) -> Tensor:
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad
