"""Where to put the origin before distances are taken from products."""

from __future__ import annotations

import torch


def centroid(X: torch.Tensor, block: int) -> torch.Tensor:
    """(d,) mean of the rows of X (n, d), n >= 1, in the dtype of X and with a temporary of `block` rows.

    Distances do not depend on the origin, but |x|² + |y|² − 2x·y loses all digits of a small distance between
    vectors far from it. The mean is taken of differences from the first row, so that equal rows are exactly
    at their centroid.
    """
    total = X.new_zeros(X.shape[1], dtype=torch.float64)
    scratch = X.new_empty(min(block, len(X)), X.shape[1])
    for start in range(0, len(X), block):
        rows = X[start : start + block]
        total += torch.sub(rows, X[0], out=scratch[: len(rows)]).sum(0)
    return X[0] + (total / len(X)).to(X.dtype)
