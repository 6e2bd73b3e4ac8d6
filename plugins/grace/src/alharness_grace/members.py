"""G(x), the gradients that GRACE compares samples by: for every modality g_u and g_{m_u}."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch  # noqa: TID253 - only sampler.py imports this module

from alharness import FUSED, SamplerError, Task
from alharness.geometry import require_finite

from .gradients import gradients

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

    from alharness import Query


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The two members of G that belong to one modality.

    Attributes:
        unimodal: (n, D), g_u.
        fused: (n, D'), g_{m_u}. Where D' < D, the missing coordinates are the last ones, and zeros.
    """

    unimodal: Tensor
    fused: Tensor


def members(query: Query) -> dict[str, Pair]:
    """Modality -> its two members, for the unlabeled samples.

    Raises:
        SamplerError: representations, predictions or gradients are NaN or infinite, or a regression has several
            outputs.
    """
    z = {u: query.unlabeled.representations(u) for u in query.modalities}
    for u, representations in z.items():
        require_finite(representations, f"the representations of {u!r}")
    return _classification(query, z) if query.task == Task.CLASSIFICATION else _regression(query, z)


def _classification(query: Query, z: Mapping[str, Tensor]) -> dict[str, Pair]:
    """g_u = J_uᵀ (p_u − e_ŷ), g_{m_u} = J_{m_u}ᵀ (p_m − e_ŷ), with ŷ = argmax p_m for all heads."""

    def cross_entropy(output: Tensor, fused: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(output, fused.argmax(1), reduction="sum")

    g = gradients(query, z, cross_entropy)
    return {u: Pair(unimodal=g.unimodal[u], fused=g.fused[u]) for u in query.modalities}


def _regression(query: Query, z: Mapping[str, Tensor]) -> dict[str, Pair]:
    """g_u = (σ, δ_u) ⊗ J_u, g_{m_u} = (σ, 0) ⊗ J_{m_u}, with δ_u = o_u − o_m.

    The products of these members are what the products of the gradients of ½(o − y)² are on average over the
    label, when it has mean o_m and spread σ: E<g_h, g_h'> = (δ_h δ_h' + σ²) <J_h, J_h'>, where δ_m = 0.
    """
    J = gradients(query, z, lambda output, _: output.sum())
    for source, output in J.outputs.items():
        if output.shape[1] != 1:
            raise SamplerError(
                f"GRACE takes one output in regression, and source {source!r} has {output.shape[1]}; "
                "train one model for each output"
            )
    delta = {u: J.outputs[u] - J.outputs[FUSED] for u in query.modalities}
    sigma = _spread(delta.values())
    return {
        u: Pair(
            unimodal=torch.cat([sigma * J.unimodal[u], delta[u] * J.unimodal[u]], 1),
            fused=sigma * J.fused[u],
        )
        for u in query.modalities
    }


def _spread(delta: Iterable[Tensor]) -> float:
    """σ, the root mean square of o_u − o_m over the pool and the modalities; 1 where all heads agree exactly.

    With δ = 0 everywhere, σ is a factor common to all members. Normalized criteria do not see such a factor,
    unless it is 0 and wipes the members out.
    """
    return torch.cat(list(delta)).double().square().mean().sqrt().item() or 1.0
