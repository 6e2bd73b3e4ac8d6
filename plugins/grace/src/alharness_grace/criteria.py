"""What makes a sample worth a label: GRACE, Eq. 4 to 6, raw and normalized."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch  # noqa: TID253 - only sampler.py imports this module

from alharness.kernels import min_max, ranks

from .distances import all_members, exact_sums, near

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from .distances import Features
    from .pair import Pair


def sum_of_norms(norms: Tensor) -> Tensor:
    """(n,) Σ_{g∈G} ‖g‖ from the norms (|G|, n)."""
    return norms.sum(0)


def norm_of_concatenation(norms: Tensor) -> Tensor:
    """(n,) length of all members put one after another, from their norms (|G|, n)."""
    return norms.square().sum(0).sqrt()


NORM_REDUCTIONS = {"sum": sum_of_norms, "concat": norm_of_concatenation}


def informativeness(G: Mapping[str, Pair], reduce: Callable[[Tensor], Tensor] = sum_of_norms) -> Tensor:
    """(n,) ŝ_i = Σ_{g∈G} ‖g‖ (Eq. 4), or another reduction of the norms."""
    return reduce(torch.stack([_norms(g) for g in all_members(G)]))


def representativeness(
    G: Mapping[str, Pair],
    space: Callable[[Mapping[str, Pair]], Features] = all_members,
    sums: Callable[[Features], Tensor] = exact_sums,
    sense: Callable[[Tensor], Tensor] = near,
) -> Tensor:
    """(n,) ŝ_r(p) = −Σ_q Σ_{g∈G} ‖g(p) − g(q)‖ (Eq. 5): a sample near to the others represents them.

    Args:
        G: the members.
        space: what samples are compared by.
        sums: of the distances to all samples.
        sense: which of them represent the pool.
    """
    return sense(sums(space(G)))


def cosines(G: Mapping[str, Pair]) -> dict[str, Tensor]:
    """Modality -> (n,) cos(g_u, g_{m_u}), the terms of Eq. 6; 0 where one of them is a zero vector."""
    return {u: _cosine(*pair.directions) for u, pair in G.items()}


def negative_differences(G: Mapping[str, Pair]) -> dict[str, Tensor]:
    """Modality -> (n,) −‖g_u − g_{m_u}‖, in place of the cosines."""
    return {u: -_norms(pair.unimodal - _padded(pair.fused, pair.unimodal)) for u, pair in G.items()}


AGREEMENTS = {"cosine": cosines, "neg_difference": negative_differences}


def easiness(agreements: Mapping[str, Tensor]) -> Tensor:
    """(n,) ŝ_e = Σ_u cos(g_u, g_{m_u}) (Eq. 6): a sample is easy where every modality pulls as the whole does."""
    return torch.stack(list(agreements.values())).sum(0)


SCALES: dict[str, Callable[..., Tensor]] = {"min_max": min_max, "rank": ranks}


def normalize(criterion: Tensor, G: Mapping[str, Pair], scale: Callable[..., Tensor] = min_max) -> Tensor:
    """(n,) in [0, 1] over the pool; 1 everywhere for a criterion that is constant up to rounding.

    Args:
        criterion: (n,) raw.
        G: whose precision tells what is rounding.
        scale: takes the values and, as `tolerance`, the share of the largest magnitude that is rounding.
    """
    eps = max(torch.finfo(g.dtype).eps for g in all_members(G))
    return scale(criterion, tolerance=16 * eps)


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


def _padded(b: Tensor, a: Tensor) -> Tensor:
    return torch.nn.functional.pad(b, (0, a.shape[1] - b.shape[1]))
