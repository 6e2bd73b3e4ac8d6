"""Standardization of inputs and targets with statistics of the labeled samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class Standardize(nn.Module):
    """(x - mean) / deviation, column by column; a constant column is only centered."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("deviation", torch.ones(columns))

    def adapt(self, x: Tensor) -> None:
        """Take mean and deviation from the rows of x, (n, columns)."""
        wide = x.double()
        deviation = wide.std(dim=0, correction=0)
        # Below float32 resolution of the column's size a deviation is rounding noise, not spread.
        constant = deviation <= 1e-6 * wide.abs().amax(dim=0)
        self.mean.copy_(wide.mean(dim=0))
        self.deviation.copy_(torch.where(constant, 1.0, deviation))

    def forward(self, x: Tensor) -> Tensor:
        """(..., columns), standardized."""
        return (x - self.mean).div_(self.deviation)

    def restore(self, x: Tensor) -> Tensor:
        """The inverse."""
        return x * self.deviation + self.mean
