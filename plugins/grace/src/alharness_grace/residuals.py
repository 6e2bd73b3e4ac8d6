"""How far heads are from the label that samples are given before they have one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch  # noqa: TID253 - only sampler.py imports this module

from alharness import FUSED, SamplerError, Task
from alharness.kernels.posterior import variance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor

    from alharness import Query

    from .params import GraceParams

    Outputs = Mapping[str, Tensor]
    Residuals = dict[str, tuple[Tensor, Tensor]]


def residuals(query: Query, o: Outputs, params: GraceParams) -> Residuals:
    """Modality -> what its own head and what the fused head is off, q_u (n, r) and q_m (n, r').

    Where r' < r, the missing coordinates are the last ones, and zeros.

    Args:
        query: whose task, modalities and draws.
        o: source -> (n, C), log-probabilities or values.
        params: `pseudo_label`, `sigma` and `draws`.

    Raises:
        SamplerError: a regression has several outputs, or the model no dropout to draw with.
    """
    if query.task == Task.CLASSIFICATION:
        return _common(query, _classes(o))
    for source, output in o.items():
        if output.shape[1] != 1:
            raise SamplerError(
                f"GRACE takes one output in regression, and source {source!r} has {output.shape[1]}; "
                "train one model for each output"
            )
    return PSEUDO_LABELS[params.pseudo_label](query, o, params)


def _classes(o: Outputs) -> dict[str, Tensor]:
    """p − e_ŷ for every head, with ŷ = argmax p_m."""
    label = o[FUSED].argmax(1, keepdim=True)
    q = {}
    for source, log_p in o.items():
        # p_ŷ − 1 is minus the sum of the other probabilities, which a sure head does not round to 0.
        others = log_p.double().exp().scatter(1, label, 0.0)
        q[source] = others.scatter(1, label, -others.sum(1, keepdim=True)).to(log_p.dtype)
    return q


def _expected(query: Query, o: Outputs, params: GraceParams) -> Residuals:
    """(σ, δ_u) and (σ, 0), with δ_u = o_u − o_m.

    Products of members q ⊗ J are what the products of the gradients of ½(o − y)² are on average over the label y,
    when it has mean o_m and spread σ: E<g_h, g_h'> = (δ_h δ_h' + σ²) <J_h, J_h'>, where δ_m = 0.
    """
    gaps = _gaps(query, o)
    sigma = _spread(gaps.values()) if isinstance(params.sigma, str) else params.sigma
    return _uncertain(gaps, torch.full_like(o[FUSED], sigma))


def _mc(query: Query, o: Outputs, params: GraceParams) -> Residuals:
    """As `expected`, with a σ of each sample: the deviation of the fused prediction under dropout."""
    deviations = variance(query.unlabeled.mc_draws(params.draws)).sqrt()
    return _uncertain(_gaps(query, o), deviations.to(o[FUSED].dtype))


def _cross(query: Query, o: Outputs, _: GraceParams) -> Residuals:
    """Labels of each other: the fused prediction for the heads, their mean for the fused head."""
    mean = torch.stack([o[u] for u in query.modalities]).mean(0)
    return _common(query, {**_gaps(query, o), FUSED: o[FUSED] - mean})


def _consensus(query: Query, o: Outputs, _: GraceParams) -> Residuals:
    """The mean of all outputs, the fused one among them."""
    mean = torch.stack([o[source] for source in (*query.modalities, FUSED)]).mean(0)
    return _common(query, {source: output - mean for source, output in o.items()})


def _zero(query: Query, o: Outputs, _: GraceParams) -> Residuals:
    """The label 0."""
    return _common(query, o)


def _jacobian(query: Query, o: Outputs, _: GraceParams) -> Residuals:
    """Off by 1 everywhere."""
    return _common(query, {source: torch.ones_like(output) for source, output in o.items()})


def _pairwise(query: Query, o: Outputs, _: GraceParams) -> Residuals:
    """The fused prediction for a head, and that head's for the fused one where they are compared."""
    return {u: (gap, -gap) for u, gap in _gaps(query, o).items()}


PSEUDO_LABELS = {
    "expected": _expected,
    "cross": _cross,
    "consensus": _consensus,
    "zero": _zero,
    "jacobian": _jacobian,
    "pairwise": _pairwise,
    "mc": _mc,
}


def _gaps(query: Query, o: Outputs) -> dict[str, Tensor]:
    return {u: o[u] - o[FUSED] for u in query.modalities}


def _common(query: Query, q: Outputs) -> Residuals:
    return {u: (q[u], q[FUSED]) for u in query.modalities}


def _uncertain(gaps: Mapping[str, Tensor], sigma: Tensor) -> Residuals:
    return {u: (torch.cat([sigma, gap], 1), sigma) for u, gap in gaps.items()}


def _spread(gaps: Iterable[Tensor]) -> float:
    """σ, the root mean square of o_u − o_m over the pool and the modalities; 1 where all heads agree exactly.

    With δ = 0 everywhere, σ is a factor common to all members. Normalized criteria do not see such a factor,
    unless it is 0 and wipes the members out.
    """
    return torch.cat(list(gaps)).double().square().mean().sqrt().item() or 1.0
