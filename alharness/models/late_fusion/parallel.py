"""Linear layers of one size, computed at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class ParallelLinear(nn.Module):
    """As many `nn.Linear` as `count`, each on an input of its own: (count, b, inputs) -> (count, b, outputs).

    Each starts as `nn.Linear` does: weights and biases uniform within ±1/√inputs.
    """

    def __init__(self, count: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(count, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(count, 1, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """(count, b, outputs)."""
        return torch.baddbmm(self.bias, x, self.weight)

    def one(self, index: int, x: Tensor) -> Tensor:
        """The layer at that index alone: (b, inputs) -> (b, outputs)."""
        return torch.addmm(self.bias[index], x, self.weight[index])
