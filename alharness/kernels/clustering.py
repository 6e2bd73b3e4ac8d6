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
        (n, Σ d_u) float32. Extra memory: O(block) rows.

    Raises:
        SamplerError: features are not finite.

    >>> import torch
    >>> from alharness.kernels import join_modalities
    >>> join_modalities([torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0, 5.0], [2.0, 5.0]])])
    tensor([[-1.0000, -0.7071,  0.0000],
            [ 1.0000,  0.7071,  0.0000]])
    """
    widths = [x.shape[1] for x in features]
    joined = features[0].new_empty(len(features[0]), sum(widths), dtype=torch.float32)
    for number, (x, points) in enumerate(zip(features, torch.split(joined, widths, dim=1), strict=True)):
        require_finite(x, "the features")
        known = torch.ones(len(x), dtype=torch.bool, device=x.device) if present is None else present[number]
        mean, scale = _standard(x, known)
        for rows in _blocks(x):
            whole = (x[rows].double() - mean) / scale
            points[rows] = torch.where(known[rows, None], whole, 0.0)
    return joined


def _standard(x: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """(d,) float64 what is subtracted from the columns, and by what they are divided then."""
    size, count = x.shape[1], int(known.sum())
    mean, squares, largest = x.new_zeros(3, size, dtype=torch.float64)
    for rows in _blocks(x):
        mean += x[rows][known[rows]].double().sum(0)
    mean /= max(1, count)
    for rows in _blocks(x):
        wide = x[rows][known[rows]].double()
        squares += (wide - mean).square().sum(0)
        if len(wide):
            torch.maximum(largest, wide.abs().amax(0), out=largest)
    deviation = (squares / max(1, count)).sqrt()
    # Below float32 resolution of the column's size a deviation is rounding noise, not spread.
    return mean, torch.where(deviation <= 1e-6 * largest, 1.0, deviation) * math.sqrt(size)


def _blocks(x: Tensor) -> list[slice]:
    return [slice(row, row + BLOCK) for row in range(0, len(x), BLOCK)]


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
