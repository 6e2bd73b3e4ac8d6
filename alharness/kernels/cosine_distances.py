"""Sums of cosine distances over a whole pool, without going through its pairs."""

from __future__ import annotations

import torch

from .finite import require_finite
from .squared_distances import sum_of_squared_distances


@torch.no_grad()
def sum_of_cosine_distances(X: torch.Tensor) -> torch.Tensor:
    """Σ_{q≠p} (1 − cos(x_p, x_q)) for every row p; the cosine with a zero vector counts as 0.

    Exact, O(nd) time; memory is one float64 copy of X. Between unit vectors 1 − cos(u, v) = ½|u − v|². The shorter
    form n − u_p·Σ_q u_q loses the small distances of a pool whose rows have nearly one direction.

    Args:
        X: (n, d) float32 or float64.

    Returns:
        (n,) float64.

    Raises:
        SamplerError: X has rows that are NaN, infinite, or too large to square.

    >>> import torch
    >>> from alharness.kernels import sum_of_cosine_distances
    >>> sum_of_cosine_distances(torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 1., 2.], dtype=torch.float64)
    """
    require_finite(X, "the features")
    norms = torch.linalg.vector_norm(X, dim=1, dtype=torch.float64)
    zero = norms == 0
    units = X[~zero].double() / norms[~zero, None]
    sums = torch.full_like(norms, len(X) - 1)
    sums[~zero] = sum_of_squared_distances(units) / 2 + zero.sum()
    return sums
