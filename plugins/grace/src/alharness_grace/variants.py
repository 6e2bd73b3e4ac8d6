"""The other readings of GRACE: every method keeps the default, `super()`, unless a parameter asks for another one.

The README says what each means and why it was not chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import pad

from alharness import FUSED, Task
from alharness.kernels import (
    estimate_mean_distances,
    pseudo_residuals,
    ranks,
    require_finite,
    row_cosines,
    row_norms,
    row_outer,
    sum_of_cosine_distances,
    sum_of_distances,
    sum_of_squared_distances,
)
from alharness.kernels.posterior import variance

from .params import Additive, refuse_labels_of_regression
from .sampler import DefaultGrace, Pair, members, rounding, total

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from alharness import Query


@dataclass(frozen=True)
class LastLayerPair(Pair):
    """Gradients of the weights of two different layers: their residuals alone have directions to compare.

    Attributes:
        residuals: q_u and q_m.
    """

    residuals: tuple[Tensor, Tensor]

    def cosine(self) -> Tensor:
        """(n,) cos(q_u, q_m)."""
        return row_cosines(*self.residuals)


class Grace(DefaultGrace):
    """GRACE with the readings that its parameters choose."""

    def gradients(self, query: Query) -> dict[str, Pair]:
        """At the representations, or of the last layers' weights; as they are, or over their pool RMS.

        Raises:
            SamplerError: parameters of regression are set, and this is classification.
        """
        if query.task == Task.CLASSIFICATION:
            refuse_labels_of_regression(self.params)
        at_last_layer = self.params.gradient_point == "last_layer"
        G = self._last_layer_gradients(query) if at_last_layer else super().gradients(query)
        if self.params.member_scaling == "pool_rms":
            return {
                u: replace(g, own=self._over_rms(f"own {u}", g.own), fused=self._over_rms(f"fused {u}", g.fused))
                for u, g in G.items()
            }
        return G

    def _over_rms(self, name: str, g: Tensor) -> Tensor:
        """(n, D) over the root mean square of its lengths; a member that is zero throughout stays so."""
        return g / (self.rms(name, row_norms(g)) or 1.0)

    def _last_layer_gradients(self, query: Query) -> dict[str, Pair]:
        """g_u = q_u ⊗ h_u with h_u the input of the head's last layer, and g_{m_u} = q_m ⊗ z_u.

        The latter is the gradient at the weights of z_u in a fused head that is one layer on all z_u together, as
        in BMMAL (Shen et al. 2023); for a deeper one it takes the place of a gradient that belongs to no modality.
        """
        o = _outputs(query)
        if query.task == Task.CLASSIFICATION:
            label = o[FUSED].argmax(1)
            errors = {source: pseudo_residuals(log_p, label).to(log_p.dtype) for source, log_p in o.items()}
            q = {u: (errors[u], errors[FUSED]) for u in query.modalities}
        else:
            q = self.residuals(query, o)
        G: dict[str, Pair] = {}
        for u, (own, fused) in q.items():
            h, z = query.unlabeled.embeddings(u), query.unlabeled.representations(u)
            require_finite(h, f"the embeddings of {u!r}")
            G[u] = LastLayerPair(row_outer(own, h), row_outer(fused, z), (own, fused))
        return G

    def residuals(self, query: Query, o: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
        """What heads and fusion are off from another label than one of mean o_m and spread σ."""
        expected = super().residuals(query, o)
        m, own = o[FUSED], {u: o[u] for u in query.modalities}
        match self.params.pseudo_label:
            case "cross":  # labels of each other
                mean = torch.stack(list(own.values())).mean(0)
                return {u: (o_u - m, m - mean) for u, o_u in own.items()}
            case "consensus":
                mean = torch.stack([*own.values(), m]).mean(0)
                return {u: (o_u - mean, m - mean) for u, o_u in own.items()}
            case "pairwise":  # the fused prediction for a head, and that head's for the fused one
                return {u: (o_u - m, m - o_u) for u, o_u in own.items()}
            case "zero":
                return {u: (o_u, m) for u, o_u in own.items()}
            case "jacobian":  # off by 1 everywhere
                return {u: (torch.ones_like(o_u), torch.ones_like(m)) for u, o_u in own.items()}
            case "expected" | "mc":
                return expected

    def spread(self, query: Query, o: Mapping[str, Tensor]) -> Tensor:
        """(n, 1) σ: a number, or each sample's deviation of the fused prediction under dropout."""
        if self.params.pseudo_label == "mc":
            return variance(query.unlabeled.mc_draws(self.params.draws)).sqrt().to(o[FUSED].dtype)
        if isinstance(self.params.sigma, str):
            return super().spread(query, o)
        return torch.full_like(o[FUSED], self.params.sigma)

    def informativeness(self, G: Mapping[str, Pair]) -> Tensor:
        """(n,) sum of lengths, or the length of all members as one vector."""
        if self.params.norm_reduce == "concat":
            return total(row_norms(g).square() for g in members(G)).sqrt()
        return super().informativeness(G)

    def representativeness(self, query: Query, G: Mapping[str, Pair]) -> Tensor:
        """(n,) from distances of other features, of another kind, to some of the pool, or with another sign."""
        sums = self._sums_of_distances(query, self.compared(query, G))
        return self.represented(sums, sums.max().item() if len(sums) else 0.0, len(sums))

    def represented(self, sums: Tensor, largest: float, total: int) -> Tensor:
        """(n,) raw s_r from sums of distances to all `total` samples, the largest of which is given."""
        match self.params.representativeness:
            case "near":
                return -sums
            case "far":
                return sums
            case "reciprocal":  # below its rounding error a sum is no smaller than another
                floor = torch.finfo(sums.dtype).eps * largest or 1.0
                return (total - 1) / sums.clamp(min=floor)

    def compared(self, query: Query, G: Mapping[str, Pair]) -> list[Tensor]:
        """What samples are compared by."""
        if self.params.rep_space == "gradient":
            return members(G)
        embeddings = query.unlabeled.embeddings()
        require_finite(embeddings, "the embeddings of 'fused'")
        if self.params.rep_space == "fusion_representation":
            return [embeddings]
        return [*(query.unlabeled.representations(u) for u in query.modalities), embeddings]

    def _sums_of_distances(self, query: Query, features: list[Tensor]) -> Tensor:
        """(n,) distances to all samples, added up over the features; exact, or estimated from some samples."""
        if (anchors := self.params.representativeness_anchors) is not None:
            return estimated_sums(query, anchors, features)
        match self.params.distance:
            case "euclidean":
                return total(map(sum_of_distances, features))
            case "sqeuclidean":
                return total(map(sum_of_squared_distances, features))
            case "cosine":
                return total(map(sum_of_cosine_distances, features))

    def easiness(self, G: Mapping[str, Pair]) -> Tensor:
        """(n,) Σ_u cos(g_u, g_{m_u}), or −Σ_u ‖g_u − g_{m_u}‖."""
        if self.params.easiness == "neg_difference":
            return total(-row_norms(g.own - _wider(g.fused, g.own)) for g in G.values())
        return super().easiness(G)

    def normalize(self, raw: Tensor, G: Mapping[str, Pair]) -> Tensor:
        """(n,) by the range over the pool, or by rank."""
        return ranks(raw, tolerance=rounding(G)) if self.params.normalize == "rank" else super().normalize(raw, G)

    def active_value(self, s_i: Tensor, s_r: Tensor) -> Tensor:
        """(n,) s_i·s_r, or β·s_i + γ·s_r."""
        if isinstance(self.params.combine, Additive):
            weights = self.params.combine.additive
            return weights.beta * s_i + weights.gamma * s_r
        return super().active_value(s_i, s_r)


def estimated_sums(query: Query, anchors: int, features: list[Tensor]) -> Tensor:
    """(n,) Euclidean distances to all samples, from those to some that are drawn from `query.rng`.

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


@torch.no_grad()
def _outputs(query: Query, *, batch: int = 1024) -> dict[str, Tensor]:
    """Source -> (n, C), what the heads give."""
    z = {u: query.unlabeled.representations(u) for u in query.modalities}
    for u, x in z.items():
        require_finite(x, f"the representations of {u!r}")
    z |= query.unlabeled.context()
    starts = range(0, len(query.unlabeled), batch)
    parts = [query.decode({name: x[start : start + batch] for name, x in z.items()}) for start in starts]
    o = {source: torch.cat([part[source] for part in parts]) for source in (*query.modalities, FUSED)}
    for source, output in o.items():
        require_finite(output, f"the predictions of {source!r}")
    return o


def _wider(b: Tensor, a: Tensor) -> Tensor:
    """The rows of b with zeros up to the width of a."""
    return pad(b, (0, a.shape[1] - b.shape[1]))
