"""ProbCover (Yehuda, Dekel, Hacohen & Weinshall, NeurIPS 2022, arXiv 2205.11320, Algorithm 1)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from alharness import Sampler
from alharness.kernels import full_precision, k_means, require_finite

if TYPE_CHECKING:
    from torch import Tensor

    from alharness import Query

    from .plugin import ProbCoverParams

BLOCK = 1024
"""Rows whose distances to all others are computed at once."""

KEPT = 12_000
"""Points up to which all distances are kept, in at most 576 MB."""

REGRESSION_CLUSTERS = 10


class ProbCover(Sampler):
    """Takes the unlabeled sample whose ball covers most samples that no ball covers yet, `query.size` times.

    The graph of the paper has an edge from each sample to those in its ball. Here its out-degrees alone are kept:
    when samples become covered, the distances to them are computed again, once for each sample.
    """

    params: ProbCoverParams

    def select(self, query: Query) -> Tensor:
        """The picks in their order. Raises SamplerError if features are NaN or infinite."""
        points, labeled = self._points(query), len(query.labeled)
        with full_precision(points.device):
            apart = _Distances(points)
            radius = self.params.radius or self._radius(points, apart, query)
            covered = torch.zeros(len(points), dtype=torch.bool, device=points.device)
            everything = torch.arange(len(points), device=points.device)
            # What labeled samples cover: "remove the incoming edges to covered vertices".
            for block in torch.split(everything[:labeled], BLOCK):
                covered |= (apart.of(block) < radius).any(0)
            degrees = _degrees(apart, everything[~covered], radius)
            # Ties are broken by chance, whatever the order of the pool.
            luck = torch.from_numpy(query.rng.random(len(points) - labeled)).to(points.device)
            picks: list[int] = []
            open_ = torch.ones(len(points), dtype=torch.bool, device=points.device)
            open_[:labeled] = False
            for _ in range(query.size):
                best = degrees[open_].max()
                tied = everything[open_ & (degrees == best)]
                pick = int(tied[luck[tied - labeled].argmax()])
                open_[pick] = False
                picks.append(pick - labeled)
                new = ~covered & (apart.of(everything[pick : pick + 1])[0] < radius)
                covered |= new
                degrees -= _degrees(apart, everything[new], radius)
        if math.isfinite(radius):
            query.log("radius", radius)
        query.log("covered", float(covered.double().mean()))
        return torch.tensor(picks, dtype=torch.int64)

    def _radius(self, points: Tensor, apart: _Distances, query: Query) -> float:
        """The largest at which the share `purity` of all balls hold samples of one cluster alone.

        A ball is pure up to the nearest sample of another cluster, so that it is a quantile of these distances.
        """
        wanted = self.params.clusters or len(query.classes) or REGRESSION_CLUSTERS
        clusters = k_means(points, min(wanted, len(points)), query.rng)
        nearest = [
            apart.of(block).masked_fill_(clusters[block, None] == clusters, torch.inf).amin(1)
            for block in torch.split(torch.arange(len(points), device=points.device), BLOCK)
        ]
        ordered = torch.cat(nearest).sort().values
        impure = math.floor((1 - self.params.purity) * len(points) + 1e-9)
        return float(ordered[min(impure, len(points) - 1)])

    def _points(self, query: Query) -> Tensor:
        """(labeled + unlabeled, d) in the space of the distances, about their mean."""
        points = torch.cat(query.points(self.params.space))
        if self.params.space != "embeddings":  # joined modalities are about their mean already
            return points
        require_finite(points, "the embeddings")
        wide = points.double()
        return (wide - wide.mean(0)).float()


def _degrees(apart: _Distances, targets: Tensor, radius: float) -> Tensor:
    """(n,) how many of the targets are in the ball of each point."""
    found = torch.zeros(len(apart.points), dtype=torch.int64, device=apart.points.device)
    for block in torch.split(targets, BLOCK):
        found += (apart.of(block) < radius).sum(0)
    return found


class _Distances:
    """Euclidean distances of rows to all points; computed once if they fit, else whenever they are needed."""

    def __init__(self, points: Tensor) -> None:
        self.points = points
        self._kept: Tensor | None = None
        if len(points) <= KEPT:
            self._kept = self._computed(points)

    def of(self, rows: Tensor) -> Tensor:
        """(rows, n), for rows at these positions; a copy."""
        return self._computed(self.points[rows]) if self._kept is None else self._kept[rows]

    def _computed(self, rows: Tensor) -> Tensor:
        return torch.cdist(rows, self.points, compute_mode="use_mm_for_euclid_dist")
