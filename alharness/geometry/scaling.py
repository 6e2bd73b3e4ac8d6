"""Criteria brought to one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .finite import require_finite

if TYPE_CHECKING:
    from torch import Tensor


def min_max(values: Tensor, *, tolerance: float = 0.0) -> Tensor:
    """(v − min) / (max − min); a constant criterion gives 1 everywhere.

    Args:
        values: (n,).
        tolerance: a range of at most this share of the largest magnitude counts as constant. Without it the
            rounding errors of a criterion that is constant in truth would be stretched over all of [0, 1].

    Returns:
        (n,) in [0, 1].

    Raises:
        SamplerError: values are NaN or infinite.
    """
    require_finite(values, "the criterion")
    if len(values) == 0:
        return values.clone()
    low, high = values.aminmax()
    if high - low <= tolerance * values.abs().max():
        return values.new_ones(len(values))
    return (values - low) / (high - low)
