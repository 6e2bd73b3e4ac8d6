"""Transformer blocks and the embedding of their inputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from alharness.api.layers import Standardize

from .pooling import pool_steps

if TYPE_CHECKING:
    from torch import Tensor

    from .plugin import LfmimParams

CLIP = 8.0
"""Standardized inputs are clipped here: a column that was nearly constant among few labels may explode later."""


class Block(nn.Module):
    """x + LN(attention(LN x)), then x + LN(MLP(LN x)); nothing is masked."""

    def __init__(self, params: LfmimParams, depth: int) -> None:
        super().__init__()
        width = params.architecture.width
        self.heads, self.dropout = params.architecture.heads, params.attention_dropout
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.inner, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.ReLU(), nn.Dropout(params.mlp_dropout), nn.Linear(4 * width, width)
        )
        self._initialize(width, depth)

    def forward(self, x: Tensor) -> Tensor:
        """(b, steps, width) -> the same shape."""
        x = x + self.between(self._attend(self.before(x)))
        result: Tensor = x + self.after(self.mlp(self.inner(x)))
        return result

    def _attend(self, x: Tensor) -> Tensor:
        b, steps, width = x.shape
        q, k, v = self.qkv(x).view(b, steps, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
        result: Tensor = self.out(mixed.transpose(1, 2).reshape(b, steps, width))
        return result

    def _initialize(self, width: int, depth: int) -> None:
        """As in the authors' code: normal weights, smaller at the end of a residual sum of `depth` blocks."""
        nn.init.normal_(self.qkv.weight, std=width**-0.5)
        nn.init.normal_(self.out.weight, std=(2 * depth * width) ** -0.5)
        nn.init.zeros_(self.qkv.bias)
        nn.init.zeros_(self.out.bias)
        for layer, std in ((self.mlp[0], (2 * width) ** -0.5), (self.mlp[-1], (2 * depth * width) ** -0.5)):
            assert isinstance(layer, nn.Linear)
            nn.init.normal_(layer.weight, std=std)


class Placement(nn.Module):
    """What every stream begins with: times √width, LN, plus sinusoidal positions, dropout, LN."""

    positions: Tensor

    def __init__(self, steps: int, width: int, dropout: float) -> None:
        super().__init__()
        self.scale = math.sqrt(width)
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("positions", sinusoids(steps, width), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(b, steps, width) -> the same shape."""
        placed: Tensor = self.after(self.dropout(self.before(self.scale * x) + self.positions))
        return placed


class Embedding(nn.Module):
    """A modality's sequence, pooled, standardized and projected, behind a learned token of its own."""

    def __init__(self, features: int, length: int, params: LfmimParams) -> None:
        super().__init__()
        width = params.architecture.width
        self.length = length
        self.scale = Standardize(features) if params.standardize else None
        self.project = nn.Linear(features, width)
        self.token = nn.Parameter(width**-0.5 * torch.randn(width))
        self.place = Placement(1 + length, width, params.embedding_dropout)

    def adapt(self, x: Tensor, lengths: Tensor | None) -> None:
        """Take mean and deviation of the valid steps."""
        if self.scale is not None:
            steps, valid = self.pooled(x, lengths)
            self.scale.adapt(steps[valid])

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """(b, t, features) or (b, features) -> (b, 1 + length, width)."""
        steps, valid = self.pooled(x, lengths)
        if self.scale is not None:
            steps = self.scale(steps).clamp(-CLIP, CLIP).where(valid[..., None], 0.0)
        embedded = self.project(steps)
        placed: Tensor = self.place(torch.cat([self.token.expand(len(x), 1, -1), embedded], dim=1))
        return placed

    def pooled(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor]:
        """(b, t, features) -> (b, length, features), and which steps are no padding; what is pooled stays so."""
        return pool_steps(x if x.ndim == 3 else x[:, None], lengths, self.length)


def sinusoids(steps: int, width: int) -> Tensor:
    """(steps, width): sines and cosines of position · 10000^(−i / (width / 2 − 1)), positions counted from 1.

    As in the authors' released code. Vaswani et al. (2017, section 3.5) divide by width / 2 and count from 0.
    """
    frequencies = torch.exp(torch.arange(width // 2) * (-math.log(10_000) / (width // 2 - 1)))
    angles = torch.arange(1, steps + 1)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)
