"""The largest scores, with a rule for ties."""

from __future__ import annotations

import torch

from alharness.errors import SamplerError

from .finite import require_finite


def top_k(scores: torch.Tensor, k: int) -> torch.Tensor:
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
