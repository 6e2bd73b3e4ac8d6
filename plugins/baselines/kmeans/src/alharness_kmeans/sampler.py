"""K-means sampling (Zhdanov 2019, arXiv 1901.05954), without weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from alharness import Sampler
from alharness.kernels import k_means

if TYPE_CHECKING:
    from torch import Tensor

    from alharness import Query

    from .plugin import KMeansParams

ITERATIONS = 50
"""Of k-means; more change hardly a cluster."""

TIED = 1e-9
"""Share by which distances differ that are the same up to rounding."""


class KMeans(Sampler):
    """Clusters the unlabeled samples, and takes the one nearest to the center of each cluster."""

    params: KMeansParams

    def select(self, query: Query) -> list[int]:
        """The picks in their order. Raises SamplerError if features are NaN or infinite."""
        if query.size == 0:
            return []
        points = query.points(self.params.space)[1].float()
        clusters = k_means(points, query.size, query.rng, iterations=ITERATIONS)
        luck = torch.from_numpy(query.rng.random(len(points))).to(points.device)
        sizes = torch.bincount(clusters)
        order = (-sizes).argsort(stable=True)[: int((sizes > 0).sum())]
        picks = [self._nearest(points, (clusters == cluster).nonzero().flatten(), luck) for cluster in order]
        luck[picks] = -1  # duplicates leave clusters without samples
        return picks + luck.argsort(descending=True, stable=True)[: query.size - len(picks)].tolist()

    def _nearest(self, points: Tensor, members: Tensor, luck: Tensor) -> int:
        """The position of the member nearest to their mean; of several, chance takes one."""
        wide = points[members].double()
        gaps = (wide - wide.mean(0)).norm(dim=1)
        tied = members[gaps <= gaps.min() * (1 + TIED)]
        return int(tied[luck[tied].argmax()])
