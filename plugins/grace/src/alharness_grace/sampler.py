"""GRACE (ACM MM 2024, doi 10.1145/3664647.3681617), to be read next to Algorithm 1 of the paper's supplement.

A reconstruction: Eq. 4 to 7 and the labels that gradients pull toward are not public; the README has the reasons.
This file is the default. The other readings are in `variants.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cross_entropy

from alharness import FUSED, SamplerError, ScoringSampler, Task
from alharness.kernels import head_gradients, min_max, row_cosines, row_norms, row_outer, sum_of_distances

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from torch import Tensor

    from alharness import Query
    from alharness.kernels.gradients import HeadGradients

    from .params import GraceParams


@dataclass(frozen=True)
class Pair:
    """The two members of G(x) that belong to one modality u: gradients at its representation, a row per sample.

    Attributes:
        own: (n, D) g_u, from the modality's own head.
        fused: (n, D') g_{m_u}, from the fused head. If D' < D, its last coordinates are zeros and left out.
    """

    own: Tensor
    fused: Tensor

    def cosine(self) -> Tensor:
        """(n,) cos(g_u, g_{m_u}); 0 with a zero vector."""
        return row_cosines(self.own, self.fused)


class DefaultGrace(ScoringSampler):
    """Chooses samples with long and typical gradients, and at first those on which the modalities agree."""

    params: GraceParams
    by_row = False  # criteria are scaled to their range over the pool

    def score(self, query: Query) -> Tensor:
        """(n,) s of every x in U, float64; `select` takes the `query.size` largest."""
        G = self.gradients(query)
        s_i = self.normalize(self.informativeness(G), G)  # Eq. 4
        s_r = self.normalize(self.representativeness(query, G), G)  # Eq. 5, accumulated in lines 6 to 8
        s_e = self.normalize(self.easiness(G), G)  # Eq. 6
        alpha = self.alpha(query)  # falls after every query
        log(query, alpha, {"informativeness": s_i, "representativeness": s_r, "easiness": s_e}, G)
        return alpha * s_e + self.active_value(s_i, s_r)  # Eq. 7

    def gradients(self, query: Query) -> dict[str, Pair]:
        """G(x) of every x in U: modality -> its two members.

        Classification: gradients of the cross-entropy; the label of all heads is the class that the fused head
        predicts. Regression: q_u ⊗ J_u and q_m ⊗ J_{m_u}, residuals times Jacobians.
        """
        if query.task == Task.CLASSIFICATION:
            g = self.differentiate(query, lambda o, o_m: cross_entropy(o, o_m.argmax(1), reduction="sum"))
            return {u: Pair(g.own[u], g.fused[u]) for u in query.modalities}
        J = self.differentiate(query, lambda o, _: o.sum())
        q = self.residuals(query, J.outputs)
        return {u: Pair(row_outer(q_u, J.own[u]), row_outer(q_m, J.fused[u])) for u, (q_u, q_m) in q.items()}

    def residuals(self, query: Query, o: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
        """Regression: modality -> q_u = (σ, δ_u) and q_m = (σ), without its δ_m = 0, from the outputs o.

        The label has mean o_m and spread σ, so δ_h = o_h − o_m. On average over such labels, products of the
        gradients of ½(o_h − y)² are those of q_h ⊗ J_h: (δ_h δ_h' + σ²) ⟨J_h, J_h'⟩.
        """
        for source, values in o.items():
            if values.shape[1] != 1:
                raise SamplerError(
                    f"GRACE takes one output in regression, and source {source!r} has {values.shape[1]}; "
                    "train one model for each output"
                )
        sigma = self.spread(query, o)
        return {u: (torch.cat([sigma, o[u] - o[FUSED]], 1), sigma) for u in query.modalities}

    def spread(self, query: Query, o: Mapping[str, Tensor]) -> Tensor:
        """(n, 1) σ, the root mean square of o_u − o_m over pool and modalities; 1 if all heads agree exactly."""
        gaps = torch.cat([o[u] - o[FUSED] for u in query.modalities])
        return torch.full_like(o[FUSED], self.rms("spread", gaps) or 1.0)

    def rms(self, name: str, values: Tensor) -> float:  # noqa: ARG002 - asked for by name if the pool is in parts
        """The root mean square of these values of the whole pool."""
        return values.double().square().mean().sqrt().item()

    def differentiate(self, query: Query, loss: Callable[[Tensor, Tensor], Tensor]) -> HeadGradients:
        """Gradients at z of every head's loss, a function of its output and that of the fused head."""
        z = {u: query.unlabeled.representations(u) for u in query.modalities}
        with query.phase("gradients"):
            return head_gradients(query.decode, z, loss, context=query.unlabeled.context())

    def informativeness(self, G: Mapping[str, Pair]) -> Tensor:
        """(n,) raw s_i = Σ_{g∈G} ‖g‖."""
        return total(row_norms(g) for g in members(G))

    def representativeness(self, query: Query, G: Mapping[str, Pair]) -> Tensor:  # noqa: ARG002 - variants ask it
        """(n,) raw s_r(p) = −Σ_{q∈U} Σ_{g∈G} ‖g(p) − g(q)‖: what is near the others represents them."""
        return -total(sum_of_distances(g) for g in members(G))

    def easiness(self, G: Mapping[str, Pair]) -> Tensor:
        """(n,) raw s_e = Σ_u cos(g_u, g_{m_u}): easy if each modality pulls as the whole does."""
        return total(pair.cosine() for pair in G.values())

    def normalize(self, raw: Tensor, G: Mapping[str, Pair]) -> Tensor:
        """(n,) in [0, 1] over the pool; 1 everywhere if the criterion is constant up to rounding."""
        return min_max(raw, tolerance=rounding(G))

    def active_value(self, s_i: Tensor, s_r: Tensor) -> Tensor:
        """(n,) s_i·s_r: both must be high."""
        return s_i * s_r

    def alpha(self, query: Query) -> float:
        """α_0 less one α_d for each query before; from the query's number, so that a resumed run agrees."""
        p = self.params
        decay = p.alpha0 / query.cycles if isinstance(p.alpha_decay, str) else p.alpha_decay
        alpha = p.alpha0 - query.cycle * decay
        return alpha if p.alpha_min is None else max(p.alpha_min, alpha)


def members(G: Mapping[str, Pair]) -> list[Tensor]:
    """Every g_u and g_{m_u}, (n, D) each."""
    return [g for pair in G.values() for g in (pair.own, pair.fused)]


def total(terms: Iterable[Tensor]) -> Tensor:
    """(n,) their sum."""
    return torch.stack(list(terms)).sum(0)


def rounding(G: Mapping[str, Pair]) -> float:
    """Share of a criterion's largest value that may be a rounding error of the members."""
    return 16 * max(torch.finfo(g.dtype).eps for g in members(G))


def log(query: Query, alpha: float, criteria: Mapping[str, Tensor], G: Mapping[str, Pair]) -> None:
    """Log whether the criteria spread, contradict each other, and mean what they should; see the README."""

    def share(hits: Tensor) -> float:
        return hits.double().mean().item()

    query.log("curriculum_alpha", alpha)
    for name, values in criteria.items():
        query.log(f"{name}_near_0", share(values <= 0.05))
        query.log(f"{name}_near_1", share(values >= 0.95))
    for a, b in combinations(criteria, 2):
        both = torch.stack([criteria[a], criteria[b]])
        if bool((both.amin(1) < both.amax(1)).all()):  # a constant has no correlation
            query.log(f"correlation_{a}_{b}", torch.corrcoef(both)[0, 1].item())
    for u, pair in G.items():
        query.log(f"negative_cosine_{u}", share(pair.cosine() < 0))
