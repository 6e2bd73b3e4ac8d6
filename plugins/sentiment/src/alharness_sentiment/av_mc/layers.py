"""The parts of `av_mc`, and AV-Mixup: one modality of a batch mixed with itself in another order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch
from torch import nn
from torch.nn import functional

from alharness.api.layers import spread

if TYPE_CHECKING:
    from torch import Tensor


class BatchNorm(nn.BatchNorm1d):
    """Batch normalization of one or several batches, each by itself.

    A batch of one sample, which has no deviation, is normalized by the running statistics.
    """

    running_mean: Tensor
    running_var: Tensor

    def start(self, x: Tensor) -> None:
        """Begin the running statistics at those of x, (n, d); a constant column has deviation 1."""
        mean, deviation = spread(x)
        self.running_mean.copy_(mean)
        self.running_var.copy_(deviation.square())

    def forward(self, *batches: Tensor) -> Tensor:
        """(b, d) each -> (batches·b, d), normalized in their order and put below each other."""
        if len(batches) == 1:
            return self._normalized(batches[0], self.weight, self.bias)
        # Scaled together: nothing flows back to data, so that the parts before need no gradients.
        return torch.addcmul(self.bias, torch.cat([self._normalized(x) for x in batches]), self.weight)

    def _normalized(self, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        by_itself = self.training and len(x) > 1
        return functional.batch_norm(x, self.running_mean, self.running_var, weight, bias, training=by_itself)


class TextEncoder(nn.Module):
    """One layer: features of a language model need no more."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, width)

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs) -> (b, width)."""
        h: Tensor = self.linear(x)
        return h


class SignalEncoder(nn.Module):
    """Of audio, vision and whatever else: batch normalization and three layers."""

    def __init__(self, inputs: int, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = BatchNorm(inputs)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(nn.Linear(d, width) for d in (inputs, width, width))

    def forward(self, *batches: Tensor) -> Tensor:
        """(b, inputs) each, normalized by themselves -> (batches·b, width), below each other."""
        h: Tensor = self.dropout(self.norm(*batches))
        for layer in self.layers:
            h = functional.relu(layer(h))
        return h


class Branch(nn.Module):
    """One modality: its encoder, the two layers that its head and the fusion share, and the head's last layer."""

    def __init__(
        self, encoder: TextEncoder | SignalEncoder, inputs: int, width: int, outputs: int, dropout: float
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.shared = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        self.head = nn.Linear(width, outputs)


class Fusion(nn.Module):
    """Three affine layers with nothing between them."""

    def __init__(self, inputs: int, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, width), nn.Linear(width, width))
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs) -> (b, outputs)."""
        output: Tensor = self.head(self.layers(x))
        return output


@dataclass(frozen=True, kw_only=True)
class Mix:
    """One draw of mixup, the same share for all samples.

    Attributes:
        share: () what the sample itself counts, from Beta(1, 1).
        partner: (b,) position of the sample that counts the rest.
    """

    share: Tensor
    partner: Tensor

    @classmethod
    def none(cls, x: Tensor) -> Self:
        """Everything as it is."""
        return cls(share=x.new_ones(()), partner=torch.arange(len(x), device=x.device))

    @classmethod
    def draw(cls, x: Tensor) -> Self:
        """For the rows of x, (b, d)."""
        share = torch.rand((), dtype=x.dtype, device=x.device)
        return cls(share=share, partner=torch.randperm(len(x), device=x.device))

    def apply(self, x: Tensor) -> Tensor:
        """(b, d): share·x + (1 - share)·partner's x."""
        return x[self.partner].lerp(x, self.share)
