"""BADGE (Ash et al., ICLR 2020, arXiv 1906.03671, Algorithm 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from alharness import Sampler
from alharness.kernels import SeedingPart, k_means_plus_plus, k_means_plus_plus_in_parts, pseudo_residuals

if TYPE_CHECKING:
    from alharness import Part, Parts, Query

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

    def answer(self, part: Part, question: tuple[Any, ...]) -> Any:
        """Call a method of the part's `SeedingPart`; the first question brings the generator of its clocks."""
        name, *of = question
        if name == "clocks":
            q = pseudo_residuals(part.query.unlabeled.predictions(self.params.source))
            h = part.query.unlabeled.embeddings(self.params.source)
            uniforms = torch.from_numpy(part.uniforms(*of))
            part.kept["race"] = SeedingPart(q, h, uniforms, start=part.start)
            return None
        return getattr(part.kept["race"], name)(*of)

    def select_in_parts(self, query: Query, parts: Parts) -> torch.Tensor:
        """The picks of a pool in one piece, up to rounding: the race is run in the fronts of all parts."""
        first = int(query.rng.integers(sum(parts.sizes))) if self.params.first == "uniform" else None
        parts.ask(("clocks", query.rng))
        return k_means_plus_plus_in_parts(lambda *question: parts.ask(question), query.size, first=first)
