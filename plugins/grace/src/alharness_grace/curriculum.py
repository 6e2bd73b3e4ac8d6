"""The weight of easiness over the queries of an experiment (GRACE, Algorithm 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .params import GraceParams


def curriculum_alpha(params: GraceParams, cycle: int, cycles: int) -> float:
    """α of a query: α_0 less one α_d for every query before it.

    Computed from the query's number, never carried over, so that a run that was interrupted goes on with the same
    weights.

    Args:
        params: α_0, α_d and the lower bound.
        cycle: 0-based number of the query.
        cycles: number of queries of the experiment.
    """
    decay = params.alpha0 / cycles if isinstance(params.alpha_decay, str) else params.alpha_decay
    alpha = params.alpha0 - cycle * decay
    return alpha if params.alpha_min is None else max(params.alpha_min, alpha)
