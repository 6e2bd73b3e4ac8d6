"""BMMAL (Shen et al., ACM MM 2023, arXiv 2306.08306)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from alharness import Sampler
from alharness.kernels import k_means_plus_plus, pseudo_residuals, require_finite

from .contributions import balancing_weights, shapley_values

if TYPE_CHECKING:
    from torch import Tensor

    from alharness import Query

    from .plugin import BmmalParams


class Bmmal(Sampler):
    """k-means++ seeding on g = (p − e_ŷ) ⊗ [w_1 z_1, …, w_M z_M], the longest first.

    p is the fused prediction, ŷ its most probable class, z_m what stands for modality m, and w_m its weight,
    which shrinks gradients of modalities that contribute less than the strongest. No g is ever formed.
    """

    def __init__(self, params: BmmalParams) -> None:
        self.stand_for = Z_SOURCES[params.z_source]

    def select(self, query: Query) -> torch.Tensor:
        """The picks in their order.

        Raises:
            SamplerError: features are not finite, or there are more than 12 modalities.
        """
        log_p = query.unlabeled.predictions()
        values = shapley_values(query, log_p.argmax(1))
        require_finite(values, "the Shapley values of the modalities")
        weights = balancing_weights(values)
        for m, weight in zip(query.modalities, weights.T, strict=True):
            query.log(f"mean_weight_{m}", weight.mean().item())
        z = [self.stand_for(query, m) for m in query.modalities]
        h = torch.cat([x * w[:, None].to(x.dtype) for x, w in zip(z, weights.T, strict=True)], 1)
        uniforms = torch.from_numpy(query.rng.random(len(h)))
        return k_means_plus_plus(pseudo_residuals(log_p), h, query.size, uniforms)


def encoder_output(query: Query, modality: str) -> Tensor:
    """z_m of late fusion: the representation of the modality."""
    return query.unlabeled.representations(modality)


def fused_alone(query: Query, modality: str) -> Tensor:
    """z_m of mid-fusion: the fused embedding with every other modality's representation set to zero."""
    z = {m: query.unlabeled.representations(m) for m in query.modalities}
    alone = {m: x if m == modality else torch.zeros_like(x) for m, x in z.items()}
    return query.embed(alone | query.unlabeled.context())


Z_SOURCES = {"encoder": encoder_output, "fused": fused_alone}
