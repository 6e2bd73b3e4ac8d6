"""Margin sampling (Scheffer, Decomain & Wrobel, IDA 2001)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from alharness import ScoringSampler
from alharness.kernels.posterior import renormalize

if TYPE_CHECKING:
    from torch import Tensor

    from alharness import Query

    from .plugin import MarginParams


SMALLEST = math.log(5e-324)
"""Logarithm of the smallest number above 0: the score of a sample without any gap must be finite."""


class Margin(ScoringSampler):
    """Ranks by the gap between the two most probable classes; the samples with the smallest are taken."""

    params: MarginParams

    def score(self, query: Query) -> Tensor:
        """(n,) log((1 − gap) / gap) in nats, float64: below 0 for a gap above 1/2, above 0 for a smaller one.

        It falls with the gap, and keeps its digits at both ends. The gap itself would tie all confident samples:
        float64 has no number between 1 − 1e-16 and 1.
        """
        log_p = renormalize(query.unlabeled.predictions(self.params.source))
        (first, second), (top, _) = (x.unbind(1) for x in log_p.topk(2, dim=1))
        gap = first + _log_one_minus_exp(second - first)
        others = log_p.scatter(1, top[:, None], -torch.inf).logsumexp(dim=1)
        rest = torch.logaddexp(others, second)  # 1 − p₁ + p₂
        return rest.clamp(min=torch.finfo(rest.dtype).min) - gap.clamp(min=SMALLEST)


def _log_one_minus_exp(x: Tensor) -> Tensor:
    """log(1 − eˣ) for x <= 0, by the form that is exact on either side of −log 2 (Mächler, 2012)."""
    return torch.where(x > -math.log(2), (-x.expm1()).log(), (-x.exp()).log1p())
