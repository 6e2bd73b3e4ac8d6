"""What the graph network is trained for: labeled samples score 1, unlabeled ones 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch  # noqa: TID253 - only sampler.py imports this module

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Loss:
    """−mean_L log s − λ mean_U log(1 − s), with s = sigmoid(logit); a side without samples adds nothing.

    Attributes:
        target: (N,) 1 for labeled, 0 for unlabeled samples.
        weight: (N,) what a sample counts.
    """

    target: Tensor
    weight: Tensor

    def value(self, logits: Tensor) -> float:
        """The loss at these logits (N,)."""
        signed = torch.where(self.target > 0, logits, -logits)
        return -(self.weight * torch.nn.functional.logsigmoid(signed)).sum().item()

    def gradient(self, logits: Tensor) -> Tensor:
        """(N,): its gradient. The logarithm and the sigmoid cancel, so that nothing can overflow."""
        return (logits.sigmoid() - self.target).mul_(self.weight)


def labeled_from_unlabeled(unlabeled: int, labeled: int, loss_weight: float, like: Tensor) -> Loss:
    """The loss of a graph whose first nodes are unlabeled and whose last ones are labeled.

    Args:
        unlabeled: number of unlabeled nodes.
        labeled: number of labeled nodes.
        loss_weight: λ.
        like: a tensor of the dtype and device wanted.
    """
    zeros, ones = like.new_zeros(unlabeled), like.new_ones(labeled)
    return Loss(
        target=torch.cat([zeros, ones]),
        weight=torch.cat([(zeros + loss_weight) / max(unlabeled, 1), ones / max(labeled, 1)]),
    )
