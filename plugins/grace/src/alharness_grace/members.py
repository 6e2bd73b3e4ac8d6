"""G(x), the gradients that GRACE compares samples by: for every modality g_u and g_{m_u}."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch  # noqa: TID253 - only sampler.py imports this module

from alharness import Task
from alharness.kernels import require_finite

from .pair import Pair
from .params import DEFAULTS, refuse_labels_of_regression
from .points import POINTS

if TYPE_CHECKING:
    from torch import Tensor

    from alharness import Query

    from .params import GraceParams

__all__ = ["Pair", "members"]


def members(query: Query, params: GraceParams = DEFAULTS) -> dict[str, Pair]:
    """Modality -> its two members, for the unlabeled samples.

    Raises:
        SamplerError: representations, predictions or gradients are NaN or infinite, a regression has several
            outputs, or params are set that only a regression reads.
    """
    if query.task == Task.CLASSIFICATION:
        refuse_labels_of_regression(params)
    z = {u: query.unlabeled.representations(u) for u in query.modalities}
    for u, representations in z.items():
        require_finite(representations, f"the representations of {u!r}")
    z |= query.unlabeled.context()
    scale = SCALINGS[params.member_scaling]
    return {
        u: replace(pair, unimodal=scale(pair.unimodal), fused=scale(pair.fused))
        for u, pair in POINTS[params.gradient_point](query, z, params).items()
    }


def _as_it_is(g: Tensor) -> Tensor:
    return g


def _pool_rms(g: Tensor) -> Tensor:
    """g over the root mean square of its lengths; a member that is zero throughout stays so."""
    norms = torch.linalg.vector_norm(g, dim=1, dtype=torch.float64)
    return g / (norms.square().mean().sqrt().item() or 1.0)


SCALINGS = {"none": _as_it_is, "pool_rms": _pool_rms}
