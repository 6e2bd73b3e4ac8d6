"""Parameters of a model in one piece of memory per group of its optimizer.

A small network has dozens of small parameters, and an optimizer that visits them one by one spends its time on the
visits. In one piece they are one parameter to it: an update is one kernel, and so is setting gradients to zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn, optim

from . import optimizers

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

ELEMENTWISE = (
    *(optimizers.Adam, optimizers.AdamW, optimizers.SGD),
    *(optim.Adam, optim.AdamW, optim.NAdam, optim.RAdam, optim.Adamax, optim.RMSprop, optim.SGD),
)
"""Element-wise optimizers: the tensor that a number belongs to does not matter."""

ALIGNMENT = 16
"""Every parameter begins at a multiple of so many numbers: 64 bytes of float32, a line of the cache."""


def flatten(optimizer: Optimizer) -> list[Tensor]:
    """Put the parameters of each group, and their gradients, into one piece; to be done before the first step.

    The model's parameters stay the same objects and become views of the piece; the optimizer gets the piece. From
    then on gradients must be set to zero in place, never to None: a parameter that has no part in a loss has the
    gradient 0.

    Returns:
        The gradients, one piece for each group. An empty list if the optimizer is of another class (it may not be
        element-wise), has state already, or if the parameters of a group differ in dtype, device or layout.
    """
    if type(optimizer) not in ELEMENTWISE or optimizer.state:
        return []
    if not all(_alike(group["params"]) for group in optimizer.param_groups):
        return []
    gradients = []
    for group in optimizer.param_groups:
        whole = _joined(group["params"])
        assert whole.grad is not None
        gradients.append(whole.grad)
        group["params"] = [whole]
    return gradients


def _alike(parameters: list[Tensor]) -> bool:
    kinds = {(p.dtype, p.device, p.layout) for p in parameters}
    return len(kinds) == 1 and kinds.pop()[2] == torch.strided and all(p.requires_grad for p in parameters)


def _joined(parameters: list[Tensor]) -> nn.Parameter:
    sizes = [-(-p.numel() // ALIGNMENT) * ALIGNMENT for p in parameters]
    values = parameters[0].new_zeros(sum(sizes), requires_grad=False)
    whole = nn.Parameter(values)
    whole.grad = torch.zeros_like(values)
    start = 0
    for parameter, size in zip(parameters, sizes, strict=True):
        piece = slice(start, start + parameter.numel())
        values[piece] = parameter.detach().flatten()
        parameter.data = values[piece].view_as(parameter)
        parameter.grad = whole.grad[piece].view_as(parameter)
        start += size
    return whole
