"""Margin sampling (Scheffer, Decomain & Wrobel, IDA 2001)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness import ScoringSampler
from alharness.posterior import renormalize

if TYPE_CHECKING:
    from torch import Tensor

    from alharness import Query

    from .plugin import MarginParams


class Margin(ScoringSampler):
    """Ranks by the gap between the two most probable classes; the samples with the smallest are taken."""

    def __init__(self, params: MarginParams) -> None:
        self.source = params.source

    def score(self, query: Query) -> Tensor:
        """(n,) second largest minus largest probability, −1 (certain) to 0 (torn), float64."""
        top = renormalize(query.unlabeled.predictions(self.source)).exp().topk(2, dim=1).values
        return top[:, 1] - top[:, 0]
