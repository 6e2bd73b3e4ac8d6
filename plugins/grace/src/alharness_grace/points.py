"""Where the gradients are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch  # noqa: TID253 - only sampler.py imports this module

from alharness import Task
from alharness.kernels import require_finite

from .gradients import gradients, outputs
from .pair import Pair
from .residuals import residuals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from alharness import Query

    from .params import GraceParams


def at_representations(query: Query, z: Mapping[str, Tensor], params: GraceParams) -> dict[str, Pair]:
    """g_u and g_{m_u} both at z_u.

    Classification: g_u = J_uᵀ (p_u − e_ŷ), g_{m_u} = J_{m_u}ᵀ (p_m − e_ŷ), with ŷ = argmax p_m for all heads.
    Regression: g_u = q_u ⊗ J_u, g_{m_u} = q_m ⊗ J_{m_u}.
    """
    if query.task == Task.CLASSIFICATION:
        g = gradients(query, z, _cross_entropy)
        return {u: Pair(unimodal=g.unimodal[u], fused=g.fused[u]) for u in query.modalities}
    J = gradients(query, z, lambda output, _: output.sum())
    q = residuals(query, J.outputs, params)
    return {u: Pair(unimodal=_outer(q[u][0], J.unimodal[u]), fused=_outer(q[u][1], J.fused[u])) for u in q}


def at_last_layers(query: Query, z: Mapping[str, Tensor], params: GraceParams) -> dict[str, Pair]:
    """g_u = q_u ⊗ h_u, the gradient at the last layer of the head, whose input is h_u; g_{m_u} = q_m ⊗ z_u.

    The latter is the gradient at the weights of z_u in a fused head that is one layer on all z_u together, as in
    BMMAL (Shen et al. 2023); for a deeper one it stands in for a gradient that belongs to no modality.
    """
    found = {}
    for u, (own, fused) in residuals(query, outputs(query, z), params).items():
        h = query.unlabeled.embeddings(u)
        require_finite(h, f"the embeddings of {u!r}")
        found[u] = Pair(unimodal=_outer(own, h), fused=_outer(fused, z[u]), residuals=(own, fused))
    return found


POINTS = {"representation": at_representations, "last_layer": at_last_layers}


def _cross_entropy(output: Tensor, fused: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(output, fused.argmax(1), reduction="sum")


def _outer(q: Tensor, x: Tensor) -> Tensor:
    """(n, r·d) rows of q (n, r) times rows of x (n, d)."""
    return torch.einsum("nr,nd->nrd", q, x).flatten(1)
