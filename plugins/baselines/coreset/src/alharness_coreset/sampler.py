"""CoreSet by k-center greedy (Sener & Savarese, ICLR 2018, arXiv 1708.00489, Algorithm 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from alharness import Sampler
from alharness.kernels import k_center

if TYPE_CHECKING:
    from alharness import Query

    from .plugin import CoreSetParams


class CoreSet(Sampler):
    """Takes the unlabeled sample farthest from all labeled and chosen ones, `query.size` times.

    Distances are Euclidean, between fused embeddings as they are. Nothing is random, except the first pick if
    nothing is labeled yet.
    """

    params: CoreSetParams

    def select(self, query: Query) -> torch.Tensor:
        """The picks in their order. Raises SamplerError if embeddings are NaN or infinite."""
        dtype: torch.dtype = getattr(torch, self.params.dtype)
        pool = query.unlabeled.embeddings().to(dtype)
        if len(query.labeled) == 0:
            first = int(query.rng.integers(len(pool))) if len(pool) else None
            return k_center(pool, pool[:0], query.size, first=first)
        return k_center(pool, query.labeled.embeddings().to(dtype), query.size)
