"""BADGE (Ash et al., ICLR 2020, arXiv 1906.03671, Algorithm 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from alharness import Sampler
from alharness.kernels import k_means_plus_plus, pseudo_residuals

if TYPE_CHECKING:
    from alharness import Query

    from .plugin import BadgeParams


class Badge(Sampler):
    """k-means++ seeding on g = (p − e_ŷ) ⊗ h, the gradient of the cross-entropy at the last layer's weights.

    p is the prediction, ŷ its most probable class, and h the input of the last layer. No g is ever formed.
    """

    params: BadgeParams

    def select(self, query: Query) -> torch.Tensor:
        """The picks in their order. Raises SamplerError if predictions or embeddings are not finite."""
        q = pseudo_residuals(query.unlabeled.predictions(self.params.source))
        h = query.unlabeled.embeddings(self.params.source)
        first = int(query.rng.integers(len(q))) if self.params.first == "uniform" else None
        uniforms = torch.from_numpy(query.rng.random(len(q)))
        return k_means_plus_plus(q, h, query.size, uniforms, first=first)
