"""The largest scores, with a rule for ties, and criteria on one scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from alharness.errors import SamplerError

from .numerics import require_finite

if TYPE_CHECKING:
    from torch import Tensor


def top_k(scores: Tensor, k: int) -> Tensor:
    """Positions of the k largest scores, largest first, ties by the lowest position.

    The same as the first k of a stable descending sort, on every device; `torch.topk` leaves ties open.

    Args:
        scores: (n,).
        k: from 0 to n.

    Returns:
        (k,) int64.

    Raises:
        SamplerError: k is out of range, or scores are NaN or infinite.

    >>> import torch
    >>> from alharness.kernels import top_k
    >>> top_k(torch.tensor([1.0, 3.0, 3.0, 2.0]), 3)
    tensor([1, 2, 3])
    """
    if not 0 <= k <= len(scores):
        raise SamplerError(f"cannot take {k} of {len(scores)} scores")
    require_finite(scores, "the scores")
    if k == 0:
        return torch.empty(0, dtype=torch.int64, device=scores.device)
    # The value of the k-th is the same however ties are broken, so only k candidates need the stable sort.
    threshold = scores.topk(k).values[-1]
    above = (scores > threshold).nonzero()[:, 0]
    level = (scores == threshold).nonzero()[: k - len(above), 0]
    candidates = torch.cat([above, level])
    return candidates[scores[candidates].sort(descending=True, stable=True).indices]


def min_max(values: Tensor, *, tolerance: float = 0.0) -> Tensor:
    """(v − min) / (max − min); a constant criterion gives 1 everywhere.

    Args:
        values: (n,).
        tolerance: a range of at most this share of the largest magnitude counts as constant. Without it,
            the rounding errors of a constant criterion would be stretched over all of [0, 1].

    Returns:
        (n,) in [0, 1].

    Raises:
        SamplerError: values are NaN or infinite.

    >>> import torch
    >>> from alharness.kernels import min_max
    >>> min_max(torch.tensor([2.0, 3.0, 6.0]))
    tensor([0.0000, 0.2500, 1.0000])
    """
    require_finite(values, "the criterion")
    if _constant(values, tolerance):
        return values.new_ones(len(values))
    low, high = values.aminmax()
    return (values - low) / (high - low)


def ranks(values: Tensor, *, tolerance: float = 0.0) -> Tensor:
    """0 for the smallest to 1 for the largest in equal steps; a constant criterion gives 1 everywhere.

    Equal values share the mean of the ranks that they take up.

    Args:
        values: (n,).
        tolerance: values count as equal if they are within this share of the largest magnitude of each other and
            farther from all others. Without it, rounding errors would separate values that should be equal, by up
            to all of [0, 1].

    Returns:
        (n,) in [0, 1].

    Raises:
        SamplerError: values are NaN or infinite.

    >>> import torch
    >>> from alharness.kernels import ranks
    >>> ranks(torch.tensor([2.0, 30.0, 6.0]))
    tensor([0.0000, 1.0000, 0.5000])
    """
    require_finite(values, "the criterion")
    if _constant(values, tolerance):
        return values.new_ones(len(values))
    ordered, order = values.sort()
    levels = _leveled(ordered, tolerance * values.abs().max())
    first = torch.searchsorted(levels, levels)
    last = torch.searchsorted(levels, levels, right=True) - 1
    found = torch.empty_like(values)
    found[order] = (first + last).to(values.dtype) / (2 * (len(values) - 1))
    return found


def _leveled(ordered: Tensor, step: Tensor) -> Tensor:
    """Runs of ascending values with gaps within `step` made equal, if a run as a whole is no wider than that.

    A wide run is a dense stretch of the criterion, and keeps its order.
    """
    apart = (ordered.diff() > step).cumsum(0)
    run = torch.cat([apart.new_zeros(1), apart])
    low = ordered[torch.searchsorted(run, run)]
    high = ordered[torch.searchsorted(run, run, right=True) - 1]
    return low.where(high - low <= step, ordered)


def _constant(values: Tensor, tolerance: float) -> bool:
    if len(values) == 0:
        return True
    low, high = values.aminmax()
    return bool(high - low <= tolerance * values.abs().max())
