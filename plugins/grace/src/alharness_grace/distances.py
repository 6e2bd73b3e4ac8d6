"""The parts of Eq. 5: what samples are compared by, how far they are from the others, and what that is worth."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch  # noqa: TID253 - only sampler.py imports this module

from alharness.kernels import (
    estimate_mean_distances,
    require_finite,
    sum_of_cosine_distances,
    sum_of_distances,
    sum_of_squared_distances,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from alharness import Query

    from .pair import Pair
    from .params import GraceParams

    Features = list[Tensor]


def all_members(G: Mapping[str, Pair]) -> Features:
    """Every g_u and g_{m_u}, (n, D) each."""
    return [g for pair in G.values() for g in (pair.unimodal, pair.fused)]


def _gradients(_: Query, G: Mapping[str, Pair]) -> Features:
    return all_members(G)


def _fused_embedding(query: Query, _: Mapping[str, Pair]) -> Features:
    embeddings = query.unlabeled.embeddings()
    require_finite(embeddings, "the embeddings of 'fused'")
    return [embeddings]


def _representations(query: Query, G: Mapping[str, Pair]) -> Features:
    return [*map(query.unlabeled.representations, query.modalities), *_fused_embedding(query, G)]


SPACES = {
    "gradient": _gradients,
    "representation": _representations,
    "fusion_representation": _fused_embedding,
}


DISTANCES: dict[str, Callable[[Tensor], Tensor]] = {
    "euclidean": sum_of_distances,
    "sqeuclidean": sum_of_squared_distances,
    "cosine": sum_of_cosine_distances,
}


def exact_sums(features: Features, kernel: Callable[[Tensor], Tensor] = sum_of_distances) -> Tensor:
    """(n,) the distances to all samples, added up over the features."""
    return torch.stack([kernel(X) for X in features]).sum(0)


def estimated_sums(query: Query, anchors: int, features: Features) -> Tensor:
    """(n,) the same, Euclidean, from the distances to some samples that are drawn from `query.rng`.

    Logs `representativeness_standard_error`: the standard error of a sample's mean distance to the others, root
    mean square over the pool, in units of the deviation of these means over the pool.
    """
    n = len(features[0])
    # One more than asked for: a sample that is drawn itself still has as many others.
    drawn = query.rng.choice(n, min(anchors + 1, n), replace=False)
    means, errors = estimate_mean_distances(features, torch.from_numpy(drawn).to(features[0].device))
    spread = means.std(correction=0).item()
    query.log("representativeness_standard_error", errors.square().mean().sqrt().item() / (spread or 1.0))
    return (n - 1) * means


def summation(query: Query, params: GraceParams) -> Callable[[Features], Tensor]:
    """How `distance` and `representativeness_anchors` say that distances are added up."""
    if params.representativeness_anchors is not None:
        return partial(estimated_sums, query, params.representativeness_anchors)
    return partial(exact_sums, kernel=DISTANCES[params.distance])


def near(sums: Tensor) -> Tensor:
    """(n,) −Σ: what is near to the others represents them."""
    return -sums


def far(sums: Tensor) -> Tensor:
    """(n,) Σ: what is far from the others counts."""
    return sums


def reciprocal(sums: Tensor) -> Tensor:
    """(n,) 1 / mean distance, which sets the nearest apart more than it does the farthest."""
    # Below its rounding error a sum is no smaller than another.
    floor = torch.finfo(sums.dtype).eps * sums.max().item() or 1.0
    return (len(sums) - 1) / sums.clamp(min=floor)


SENSES = {"near": near, "far": far, "reciprocal": reciprocal}
