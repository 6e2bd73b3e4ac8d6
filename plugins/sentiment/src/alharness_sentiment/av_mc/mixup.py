"""AV-Mixup: one modality of a batch mixed with itself in another order (Liu et al., ICMI 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Mix:
    """One draw, the same share for all samples.

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
