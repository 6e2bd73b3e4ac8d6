"""Sequences brought to a fixed number of steps, and steps to one vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


def pool_steps(x: Tensor, lengths: Tensor | None, size: int) -> tuple[Tensor, Tensor]:
    """Bring sequences to `size` steps; steps beyond their lengths are not read.

    The n valid steps of a sequence longer than `size` are averaged in `size` bins of about equal width, as
    adaptive average pooling has them: bin j reaches from floor(j·n / size) to ceil((j + 1)·n / size). A shorter
    one keeps its steps, and zeros follow.

    Args:
        x: (b, t, d).
        lengths: (b,) valid steps; 0 counts as 1. None if all are valid.
        size: steps of the result.

    Returns:
        (b, size, d) steps, and (b, size) which of them are not padding.
    """
    b, t, d = x.shape
    n = torch.full((b, 1), t, device=x.device) if lengths is None else lengths.long()[:, None].clamp(min=1)
    j = torch.arange(size, device=x.device)
    bins = n.clamp(max=size)
    valid = (j < bins)[..., None]
    if t <= size:
        return nn.functional.pad(x, (0, 0, 0, size - t)).where(valid, 0.0), valid[..., 0]
    start = (j * n // bins).clamp(max=t)[..., None]
    end = (((j + 1) * n + bins - 1) // bins).clamp(max=t)[..., None]
    # A bin's sum is the difference of two sums from the beginning, in numbers wide enough for it.
    known = (torch.arange(t, device=x.device) < n)[..., None]
    sums = nn.functional.pad(x.where(known, 0.0).double().cumsum(1), (0, 0, 1, 0))
    total = sums.gather(1, end.expand(-1, -1, d)) - sums.gather(1, start.expand(-1, -1, d))
    means = (total / (end - start).clamp(min=1)).to(x.dtype)
    return means.where(valid, 0.0), valid[..., 0]


class WeightedSum(nn.Module):
    """Layer normalization, then a learned weighted sum over the steps: (b, steps, d) -> (b, d)."""

    def __init__(self, steps: int, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.weight = nn.Parameter(steps**-0.5 * torch.rand(steps))

    def forward(self, x: Tensor) -> Tensor:
        """The sum."""
        return torch.einsum("s,bsd->bd", self.weight, self.norm(x))
