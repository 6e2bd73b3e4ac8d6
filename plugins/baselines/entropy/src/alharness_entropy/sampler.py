"""Entropy sampling (Settles, Active Learning Literature Survey, 2009, section 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness import ScoringSampler
from alharness.kernels.posterior import renormalize, shannon_entropy

if TYPE_CHECKING:
    from torch import Tensor

    from alharness import Query

    from .plugin import EntropyParams


class Entropy(ScoringSampler):
    """Ranks by the entropy of the prediction; the samples with the largest are taken, one by one."""

    params: EntropyParams

    def score(self, query: Query) -> Tensor:
        """(n,) H = −Σ_c p_c log p_c in nats, float64."""
        return shannon_entropy(renormalize(query.unlabeled.predictions(self.params.source)))
