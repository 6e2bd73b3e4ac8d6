"""Sums of squared Euclidean distances over a whole pool, without going through its pairs."""

from __future__ import annotations

import torch

from .finite import require_finite


@torch.no_grad()
def sum_of_squared_distances(X: torch.Tensor, *, block: int = 1024) -> torch.Tensor:
    """Σ_q ‖x_p − x_q‖² for every row p, as n‖x_p − x̄‖² + Σ_q ‖x_q − x̄‖².

    Exact, O(nd) time; memory is one float64 block. Everything is added up in float64: x̄ in float32 would be off by
    a rounding error of the offset of X, and that error is multiplied by n.

    Args:
        X: (n, d) float32 or float64.
        block: rows of a block.

    Returns:
        (n,) float64.

    Raises:
        SamplerError: X has rows that are NaN, infinite, or too large to square.

    >>> import torch
    >>> from alharness.kernels import sum_of_squared_distances
    >>> sum_of_squared_distances(torch.tensor([[0.0], [1.0], [3.0]]))
    tensor([10.,  5., 13.], dtype=torch.float64)
    """
    require_finite(X, "the features")
    n = len(X)
    if n == 0:
        return X.new_zeros(0, dtype=torch.float64)
    # About the first row, so that an offset costs no digits and equal rows are exactly at their mean.
    first = X[0].double()
    blocks = [X[start : start + block] for start in range(0, n, block)]
    total = torch.zeros_like(first)
    for rows in blocks:
        total += (rows.double() - first).sum(0)
    mean = total / n
    squares = torch.cat([(rows.double() - first - mean).square_().sum(1) for rows in blocks])
    return n * squares + squares.sum()
