"""What makes a sample worth a label: GRACE, Eq. 4 to 6, raw and normalized."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch  # noqa: TID253 - only sampler.py imports this module

from alharness.geometry import min_max, sum_of_distances

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from .members import Pair


def informativeness(G: Mapping[str, Pair]) -> Tensor:
    """(n,) ŝ_i = Σ_{g∈G} ‖g‖ (Eq. 4)."""
    return torch.stack([_norms(g) for g in _all(G)]).sum(0)


def representativeness(G: Mapping[str, Pair]) -> Tensor:
    """(n,) ŝ_r(p) = −Σ_q Σ_{g∈G} ‖g(p) − g(q)‖ (Eq. 5): a sample near to the others represents them."""
    return -torch.stack([sum_of_distances(g) for g in _all(G)]).sum(0)


def cosines(G: Mapping[str, Pair]) -> dict[str, Tensor]:
    """Modality -> (n,) cos(g_u, g_{m_u}), the terms of Eq. 6; 0 where one of them is a zero vector."""
    return {u: _cosine(pair.unimodal, pair.fused) for u, pair in G.items()}


def easiness(cosines: Mapping[str, Tensor]) -> Tensor:
    """(n,) ŝ_e = Σ_u cos(g_u, g_{m_u}) (Eq. 6): a sample is easy where every modality pulls as the whole does."""
    return torch.stack(list(cosines.values())).sum(0)


def normalize(criterion: Tensor, G: Mapping[str, Pair]) -> Tensor:
    """(n,) in [0, 1]: min-max over the pool; 1 everywhere for a criterion that is constant up to rounding."""
    eps = max(torch.finfo(g.dtype).eps for g in _all(G))
    return min_max(criterion, tolerance=16 * eps)


def _all(G: Mapping[str, Pair]) -> Iterator[Tensor]:
    for pair in G.values():
        yield pair.unimodal
        yield pair.fused


def _norms(g: Tensor) -> Tensor:
    # In float64 the squares of tiny gradients, those of confident samples, do not vanish.
    norms: Tensor = torch.linalg.vector_norm(g, dim=1, dtype=torch.float64)
    return norms


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    # The coordinates that b lacks are zeros: they count in the length of a and not in the product.
    shared = _unit(a)[:, : b.shape[1]]
    product: Tensor = torch.linalg.vecdot(shared, _unit(b))
    return product


def _unit(g: Tensor) -> Tensor:
    norms = _norms(g)[:, None]
    return g / norms.where(norms > 0, 1.0)
