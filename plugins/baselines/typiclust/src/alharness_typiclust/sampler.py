"""TypiClust (Hacohen, Dekel & Weinshall, ICML 2022, arXiv 2202.02794)."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import torch

from alharness import Sampler
from alharness.kernels import k_means

if TYPE_CHECKING:
    from torch import Tensor

    from alharness import Query

    from .plugin import TypiClustParams

ITERATIONS = 50
"""Of k-means; more change hardly a cluster."""

TIED = 1e-9
"""Share by which typicalities differ that are the same up to rounding."""

BLOCK = 1024
"""Members of a cluster whose distances are computed at once."""


class TypiClust(Sampler):
    """Clusters all samples, and takes the most typical one of each of the largest clusters without a label."""

    params: TypiClustParams

    def select(self, query: Query) -> list[int]:
        """The picks in their order. Raises SamplerError if features are NaN or infinite."""
        labeled, size = len(query.labeled), query.size
        if size == 0:
            return []
        points = torch.cat(query.points(self.params.space)).float()  # the labeled ones first
        # Step 2: as many clusters as there will be labels, so that `size` of them have none, at least.
        clusters = k_means(
            points, min(labeled + size, self.params.most_clusters, len(points)), query.rng, iterations=ITERATIONS
        )
        luck = torch.from_numpy(query.rng.random(len(points))).to(points.device)
        left = clusters.clone()
        left[:labeled] = -1
        # Step 3: by turns, the most typical sample of the clusters with the fewest labels, of these the largest.
        picks: list[int] = []
        for cluster in cycle(self._order(clusters, labeled, size)):
            members = (left == cluster).nonzero().flatten()
            if len(members):
                typicality = self._typicality(points[members])
                # Two samples that are each other's nearest are equally typical: chance decides, not the order.
                tied = members[typicality >= typicality.max() - TIED * typicality.max().abs()]
                pick = int(tied[luck[tied].argmax()])
                left[pick] = -1
                picks.append(pick - labeled)
            if len(picks) == size:
                return picks
        raise AssertionError("there is always a cluster")

    def _order(self, clusters: Tensor, labeled: int, size: int) -> list[int]:
        """The clusters that are picked from, in their order; all of them if large ones hold too few samples."""
        sizes = torch.bincount(clusters)
        labels = torch.bincount(clusters[:labeled], minlength=len(sizes))
        order = sorted(range(len(sizes)), key=lambda c: (int(labels[c]), -int(sizes[c])))
        large = [c for c in order if sizes[c] > self.params.smallest]
        return large if sum(int(sizes[c] - labels[c]) for c in large) >= size else order

    def _typicality(self, points: Tensor) -> Tensor:
        """(members,) minus the sum of distances to the nearest neighbors: in the order of 1 over their mean."""
        k = min(self.params.neighbors, len(points) // 2)
        wide = points.double() - points.double().mean(0)
        found = []
        for start in range(0, len(wide), BLOCK):
            apart = torch.cdist(wide[start : start + BLOCK], wide)
            apart[:, start:].fill_diagonal_(torch.inf)  # a sample is no neighbor of its own
            found.append(-apart.topk(k, largest=False).values.sum(1))
        return torch.cat(found)
