"""k-means of a pool, and the features of several modalities as one vector."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from alharness.errors import SamplerError

from .numerics import centroid, full_precision, require_finite
from .seeding import k_means_plus_plus

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from torch import Tensor

BLOCK = 4096
"""Rows of a block."""


@torch.no_grad()
def join_modalities(features: Sequence[Tensor], present: Sequence[Tensor] | None = None) -> Tensor:
    """One vector per sample of the features of all modalities, in which each modality weighs the same.

    Columns are standardized by mean and deviation over the samples that have the modality; a constant column is
    only centered. Those of a modality of d columns are divided by √d. A sample that lacks the modality is at its
    mean.

    Args:
        features: of each modality (n, d_u), float32 or float64.
        present: of each modality (n,) bool; None if all samples have all.

    Returns:
        (n, Σ d_u) float32.

    Raises:
        SamplerError: features are not finite.

    >>> import torch
    >>> from alharness.kernels import join_modalities
    >>> join_modalities([torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0, 5.0], [2.0, 5.0]])])
    tensor([[-1.0000, -0.7071,  0.0000],
            [ 1.0000,  0.7071,  0.0000]])
    """
    parts = []
    for number, x in enumerate(features):
        require_finite(x, "the features")
        known = torch.ones(len(x), dtype=torch.bool, device=x.device) if present is None else present[number]
        wide = x.to(torch.float64, copy=True)
        rows = wide[known]
        mean = rows.mean(0) if len(rows) else wide.new_zeros(wide.shape[1])
        deviation = (rows - mean).square().mean(0).sqrt() if len(rows) else torch.ones_like(mean)
        # Below float32 resolution of the column's size a deviation is rounding noise, not spread.
        constant = deviation <= 1e-6 * rows.abs().amax(0) if len(rows) else torch.ones_like(mean, dtype=torch.bool)
        scale = torch.where(constant, 1.0, deviation) * math.sqrt(x.shape[1])
        parts.append(torch.where(known[:, None], (wide - mean) / scale, 0.0).float())
    return torch.cat(parts, dim=1)


@torch.no_grad()
def k_means(X: Tensor, k: int, rng: np.random.Generator, *, iterations: int = 100) -> Tensor:
    """The cluster of each row of X, by Lloyd's algorithm from a k-means++ seeding.

    Each iteration assigns every row to the nearest center, of several to the first, and moves centers to the means
    of their rows. It ends when no row changes its cluster. A center without rows keeps its place. O(nkd) time
    for each iteration, and O(nd + block · k) memory.

    Args:
        X: (n, d) float32 or float64.
        k: clusters, from 1 to n.
        rng: draws the seeding; what comes later is not random.
        iterations: at most.

    Returns:
        (n,) int64, from 0 to k - 1. Some may be missing.

    Raises:
        SamplerError: X is not finite, or k is out of range.

    >>> import numpy as np
    >>> import torch
    >>> from alharness.kernels import k_means
    >>> labels = k_means(torch.tensor([[0.0], [0.1], [9.0], [9.1]]), 2, np.random.default_rng(0))
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True
    """
    n = len(X)
    if not 1 <= k <= n:
        raise SamplerError(f"{k} clusters of {n} samples: k must be from 1 to their number")
    first, uniforms = int(rng.integers(n)), torch.from_numpy(rng.random(n)).to(X.device)
    centers = X[k_means_plus_plus(None, X, k, uniforms, first=first)]
    return refine(X, centers, iterations=iterations)


@torch.no_grad()
def refine(X: Tensor, centers: Tensor, *, iterations: int = 100) -> Tensor:
    """Lloyd's algorithm from these centers, (k, d); see `k_means`.

    >>> import torch
    >>> refine(torch.tensor([[0.0], [1.0], [9.0]]), torch.tensor([[0.0], [1.0]]))
    tensor([0, 0, 1])
    """
    require_finite(X, "the features")
    # About the centroid: |x|² − 2x·c + |c|² loses the digits of an offset.
    origin = centroid(X, BLOCK)
    points, centers = X - origin, centers - origin
    labels = torch.full((len(X),), -1, device=X.device)
    with full_precision(X.device):
        for _ in range(iterations):
            before, labels = labels, _nearest(points, centers)
            if torch.equal(before, labels):
                break
            counts = torch.bincount(labels, minlength=len(centers))
            sums = torch.zeros(centers.shape, dtype=torch.float64, device=X.device)
            sums.index_add_(0, labels, points.double())
            means = (sums / counts.clamp(min=1)[:, None]).to(centers.dtype)
            centers = torch.where((counts > 0)[:, None], means, centers)
    return labels


def _nearest(points: Tensor, centers: Tensor) -> Tensor:
    """The nearest center of each point; |x|² is the same for all centers, and left out."""
    norms = centers.square().sum(1)
    found = [torch.addmm(norms, x, centers.T, alpha=-2).argmin(1) for x in torch.split(points, BLOCK)]
    return torch.cat(found)
