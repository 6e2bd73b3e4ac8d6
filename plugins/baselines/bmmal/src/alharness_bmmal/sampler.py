"""BMMAL (Shen et al., ACM MM 2023, arXiv 2306.08306)."""

from __future__ import annotations

from math import factorial
from typing import TYPE_CHECKING

import torch

from alharness import FUSED, Sampler, SamplerError
from alharness.kernels import k_means_plus_plus, pseudo_residuals, require_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from alharness import Query

    from .plugin import BmmalParams

MOST_MODALITIES = 12
"""4096 decodes of the pool; every further modality doubles them."""


class Bmmal(Sampler):
    """k-means++ seeding on g = (p − e_ŷ) ⊗ [w_1 z_1, …, w_M z_M], the longest first.

    p is the fused prediction, ŷ its most probable class, z_m what represents modality m, and w_m its weight,
    which shrinks gradients of modalities that contribute less than the strongest. No g is ever formed.
    """

    params: BmmalParams

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
        z = [self._features(query, m) for m in query.modalities]
        h = torch.cat([x * w[:, None].to(x.dtype) for x, w in zip(z, weights.T, strict=True)], 1)
        uniforms = torch.from_numpy(query.rng.random(len(h)))
        return k_means_plus_plus(pseudo_residuals(log_p), h, query.size, uniforms)

    def _features(self, query: Query, modality: str) -> Tensor:
        """z_m: the encoder's output (late fusion), or the fused embedding without the others (mid-fusion)."""
        if self.params.z_source == "encoder":
            return query.unlabeled.representations(modality)
        z = {m: query.unlabeled.representations(m) for m in query.modalities}
        alone = {m: x if m == modality else torch.zeros_like(x) for m, x in z.items()}
        return query.embed(alone | query.unlabeled.context())


@torch.no_grad()
def shapley_values(query: Query, predicted: Tensor, *, batch: int = 4096) -> Tensor:
    """φ_m = Σ_{S without m} |S|! (M − |S| − 1)! / M! · (P(S with m) − P(S)) for every unlabeled sample.

    P(S) is the fused probability of the predicted class with the encoder outputs of all modalities but S set to
    zero (arXiv 2306.08306, there for M = 2), and with what belongs to no modality as it is. All φ_m of a sample
    add up to P(all) − P(none).

    Args:
        query: whose pool and heads.
        predicted: (n,) int64, the predicted classes.
        batch: rows that are decoded at once.

    Returns:
        (n, M) float64, in the order of `query.modalities`.

    Raises:
        SamplerError: there are more than 12 modalities.
    """
    names = query.modalities
    if len(names) > MOST_MODALITIES:
        raise SamplerError(
            f"exact Shapley values of {len(names)} modalities need {2 ** len(names)} decodes of the pool; "
            f"bmmal takes at most {MOST_MODALITIES} modalities, choose another sampler, such as badge"
        )
    z = {m: query.unlabeled.representations(m) for m in names}
    context = query.unlabeled.context()
    values = torch.zeros(len(predicted), len(names), dtype=torch.float64, device=predicted.device)
    for start in range(0, len(predicted), batch):
        rows = slice(start, start + batch)
        kept = {m: x[rows] for m, x in z.items()}
        constants = {name: x[rows] for name, x in context.items()}
        absent = {m: torch.zeros_like(x) for m, x in kept.items()}
        for coalition in range(2 ** len(names)):
            present = [bool(coalition >> i & 1) for i in range(len(names))]
            parts = {m: (kept if here else absent)[m] for m, here in zip(names, present, strict=True)}
            log_p = query.decode({**parts, **constants})[FUSED].gather(1, predicted[rows, None])
            values[rows] += log_p.double().exp() * values.new_tensor(_coefficients(present))
    return values


def _coefficients(present: Sequence[bool]) -> list[float]:
    """How P of this coalition enters each φ_m: as the larger of a pair if m is in it, else as the smaller."""
    M, size = len(present), sum(present)
    return [
        factorial(size - 1) * factorial(M - size) / factorial(M)
        if here
        else -factorial(size) * factorial(M - size - 1) / factorial(M)
        for here in present
    ]


def balancing_weights(values: Tensor) -> Tensor:
    """w_m = 1 − (max_k c_k − c_m), c_m = |φ_m| / Σ_k |φ_k|: 1 for the strongest modality, less for weaker ones.

    Args:
        values: (n, M) Shapley values; if all are 0, every modality contributes 1 / M.

    Returns:
        (n, M) in [0, 1].
    """
    sizes = values.abs()
    total = sizes.sum(1, keepdim=True)
    shares = torch.where(total > 0, sizes / total, 1 / values.shape[1])
    return 1 - (shares.amax(1, keepdim=True) - shares)
