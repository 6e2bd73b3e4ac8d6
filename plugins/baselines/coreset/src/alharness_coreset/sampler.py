"""CoreSet by k-center greedy (Sener & Savarese, ICLR 2018, arXiv 1708.00489, Algorithm 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from alharness import Sampler, SamplerError
from alharness.kernels import CenterPart, k_center, k_center_in_parts

if TYPE_CHECKING:
    from alharness import Part, Parts, Query

    from .plugin import CoreSetParams


class CoreSet(Sampler):
    """Takes the unlabeled sample farthest from all labeled and chosen ones, `query.size` times.

    Distances are Euclidean, between the points of its space, which are fused embeddings if nothing else is said.
    Nothing is random, except the first pick if nothing is labeled yet.
    """

    params: CoreSetParams

    def select(self, query: Query) -> torch.Tensor:
        """The picks in their order. Raises SamplerError if features are NaN or infinite."""
        dtype: torch.dtype = getattr(torch, self.params.dtype)
        labeled, pool = (points.to(dtype) for points in query.points(self.params.space))
        if len(labeled) == 0:
            first = int(query.rng.integers(len(pool))) if len(pool) else None
            return k_center(pool, pool[:0], query.size, first=first)
        return k_center(pool, labeled, query.size)

    def answer(self, part: Part, question: tuple[Any, ...]) -> Any:
        """Call a method of the part's `CenterPart`."""
        if not part.kept:
            pool, labeled = part.query.unlabeled.embeddings(), part.query.labeled
            if self.params.dtype == "float64" or pool.dtype == torch.float64:  # half precision stays as it is
                pool = pool.to(getattr(torch, self.params.dtype))
            centers = labeled.embeddings() if len(labeled) else pool[:0]
            part.kept["centers"] = CenterPart(pool, centers, start=part.start)
        name, *of = question
        return getattr(part.kept["centers"], name)(*of)

    def select_in_parts(self, query: Query, parts: Parts) -> torch.Tensor:
        """The picks of a pool in one piece, up to rounding.

        Logs `radius`, the distance of the farthest sample to its nearest labeled or chosen one, which is at most
        twice the smallest that there is, and `rounds`, how often parts and picks were compared.
        """
        if self.params.space != "embeddings":
            raise SamplerError(
                f"{self.params.space} are scaled by all samples, so that it needs the pool in one place; "
                "set space: embeddings"
            )
        first = None if len(query.labeled) else int(query.rng.integers(sum(parts.sizes)))
        found = k_center_in_parts(lambda *question: parts.ask(question), query.size, first=first)
        query.log("radius", found.radius)
        query.log("rounds", found.rounds)
        return found.positions
