"""Sums of distances over a whole pool, exact or estimated, in blocks of bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from alharness.errors import SamplerError

from .numerics import centroid, full_precision, require_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@torch.no_grad()
def sum_of_distances(X: Tensor, *, block: int | None = None) -> Tensor:
    """Σ_q ‖x_p − x_q‖ for every row p.

    Exact, O(n²d / 2) time: every pair of block rows is computed once and added to both. Extra memory: O(n)
    numbers and one block. In float32 the relative error is about 1e-7, and 1e-5 if the points are in clusters
    a thousand times smaller than their spread.

    Args:
        X: (n, d) float32 or float64.
        block: rows of a block; by default what stays in a CPU's cache or fills a GPU. Results differ by rounding.

    Returns:
        (n,) float64.

    Raises:
        SamplerError: X has rows that are NaN, infinite, or too large to square.

    >>> import torch
    >>> from alharness.kernels import sum_of_distances
    >>> sum_of_distances(torch.tensor([[0.0], [1.0], [3.0]]))
    tensor([4., 3., 5.], dtype=torch.float64)
    """
    require_finite(X, "the features")
    n, d = X.shape
    sums = torch.zeros(n, dtype=torch.float64, device=X.device)
    if n == 0:
        return sums
    block = min(n, block or (768 if X.device.type == "cpu" else 4096))
    # [−2x, 1, |x|²] · [y, |y|², 1] = |x − y|²: one product, and no further passes over a block for the norms.
    # Blocks of y are made again for every block of x: a few percent of the time, instead of a copy of X.
    origin = centroid(X, block)
    right, scratch = X.new_ones(block, d + 2), X.new_empty(block * block)
    # A CPU adds float32 up in float64 by way of a copy: one serves for both sums, in one place.
    copies = X.device.type == "cpu" and X.dtype != torch.float64
    wide = X.new_empty(block * block if copies else 0, dtype=torch.float64)
    with full_precision(X.device):
        for i in range(0, n, block):
            rows = _augmented(X[i : i + block], origin, right)
            left = torch.cat([-2 * rows[:, :d], rows[:, d + 1 :], rows[:, d : d + 1]], 1)
            for j in range(i, n, block):
                columns = _augmented(X[j : j + block], origin, right)
                distances = scratch[: len(left) * len(columns)].view(len(left), len(columns))
                torch.mm(left, columns.T, out=distances).clamp_(min=0).sqrt_()
                if i == j:
                    distances.fill_diagonal_(0)
                if copies:
                    distances = wide[: distances.numel()].view(distances.shape).copy_(distances)
                if i != j:
                    sums[j : j + block] += distances.sum(0, dtype=torch.float64)
                sums[i : i + block] += distances.sum(1, dtype=torch.float64)
    return sums


def _augmented(X: Tensor, origin: Tensor, out: Tensor) -> Tensor:
    """Rows [x, |x|², 1] about the origin, in the first rows of `out`, whose last column is 1."""
    rows, d = out[: len(X)], X.shape[1]
    x = torch.sub(X, origin, out=rows[:, :d])
    rows[:, d] = torch.linalg.vecdot(x, x)
    return rows


@torch.no_grad()
def sum_of_squared_distances(X: Tensor, *, block: int = 1024) -> Tensor:
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


@torch.no_grad()
def sum_of_cosine_distances(X: Tensor) -> Tensor:
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


class MeanDistances(NamedTuple):
    """For every point, its estimated mean distance to all others and the standard error of that: (n,) float64.

    >>> import torch
    >>> MeanDistances(means=torch.tensor([2.0]), errors=torch.tensor([0.5])).errors
    tensor([0.5000])
    """

    means: Tensor
    errors: Tensor


@torch.no_grad()
def estimate_mean_distances(features: Sequence[Tensor], anchors: Tensor, *, block: int = 1024) -> MeanDistances:
    """Mean over the anchors q ≠ p of Σ_X ‖x_p − x_q‖, the distance of p and q added up over several features.

    O(n·m·d) time for m anchors; memory is one block of rows times all anchors. If the anchors are drawn at random
    without replacement, the mean over the anchors other than p estimates the mean over the pool without bias,
    also for a p among the anchors. The squared error is estimated without bias by that of a sample from a finite
    population, s²/k · (1 − k/(n − 1)), with k anchors other than p. The anchors are the same for every p, so much
    of the error is common to all points.

    Args:
        features: at least one, each (n, d) with a d of its own, float32 or float64.
        anchors: (m,) distinct positions, at least 3 of them, or all if there are fewer.
        block: rows of a block.

    Raises:
        SamplerError: there are too few anchors, or features have rows that are NaN, infinite, or too large to
            square.

    >>> import torch
    >>> from alharness.kernels import estimate_mean_distances
    >>> X = torch.tensor([[0.0], [1.0], [3.0]])
    >>> estimate_mean_distances([X], anchors=torch.arange(3)).means
    tensor([2.0000, 1.5000, 2.5000], dtype=torch.float64)
    """
    for X in features:
        require_finite(X, "the features")
    n, m = len(features[0]), len(anchors)
    if m < min(3, n):
        raise SamplerError(f"{m} anchors leave no estimate of the error; take at least {min(3, n)}")
    positions = torch.arange(n, device=anchors.device)
    sums, squares = torch.zeros(2, n, dtype=torch.float64, device=anchors.device)
    with full_precision(anchors.device):
        towards = [_Anchored(X, anchors, block) for X in features]
        for start in range(0, n, block):
            rows = positions[start : start + block]
            distances = torch.zeros(len(rows), m, dtype=torch.float64, device=anchors.device)
            for anchored in towards:
                distances += anchored.distances(rows)
            distances.masked_fill_(rows[:, None] == anchors, 0)
            sums[rows] = distances.sum(1)
            squares[rows] = distances.square().sum(1)
    k = m - torch.isin(positions, anchors).double()
    means = sums / k.clamp(min=1)
    variances = (squares - sums * means).clamp(min=0) / (k - 1).clamp(min=1)
    unseen = 1 - k / max(n - 1, 1)
    return MeanDistances(means, (variances / k.clamp(min=1) * unseen).sqrt())


class _Anchored:
    """One feature, and its rows at the anchors, about a common origin."""

    def __init__(self, X: Tensor, anchors: Tensor, block: int) -> None:
        self.X = X
        self.origin = centroid(X, block)
        self.anchors = X[anchors] - self.origin
        self.norms = torch.linalg.vecdot(self.anchors, self.anchors)

    def distances(self, rows: Tensor) -> Tensor:
        """(b, m)."""
        X = self.X[rows] - self.origin
        products = torch.addmm(self.norms, X, self.anchors.T, alpha=-2)
        return products.add_(torch.linalg.vecdot(X, X)[:, None]).clamp_(min=0).sqrt_()


@torch.no_grad()
def cross_sums_of_distances(
    features: Sequence[Tensor], others: Sequence[Tensor], own: Tensor, *, block: int = 1024
) -> tuple[Tensor, Tensor]:
    """Σ_q ‖x_p − y_q‖ for every p, and Σ_p ‖x_p − y_q‖ for every q, added up over several features.

    O(n·m·d) time; memory is one block of rows times all others, in float64.

    Args:
        features: at least one, each (n, d) with a d of its own, float32 or float64.
        others: (m, d) each, of the same dtype.
        own: (m,) the row that is the same point, whose distance is exactly 0; -1 if there is none.
        block: rows of a block.

    Returns:
        (n,) and (m,) float64.

    Raises:
        SamplerError: rows are NaN, infinite, or too large to square.

    >>> import torch
    >>> from alharness.kernels import cross_sums_of_distances
    >>> X, Y = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[3.0], [5.0]])
    >>> rows, columns = cross_sums_of_distances([X], [Y], own=torch.tensor([2, -1]))
    >>> rows.tolist(), columns.tolist()
    ([8.0, 6.0, 2.0], [5.0, 11.0])
    """
    for X in (*features, *others):
        require_finite(X, "the features")
    n, m = len(features[0]), len(own)
    rows, columns = (features[0].new_zeros(size, dtype=torch.float64) for size in (n, m))
    same = (own >= 0).nonzero()[:, 0]
    with full_precision(rows.device):
        origins = [centroid(X, block) if n else X.new_zeros(X.shape[1]) for X in features]
        towards = [Y - origin for Y, origin in zip(others, origins, strict=True)]
        norms = [torch.linalg.vecdot(Y, Y) for Y in towards]
        for start in range(0, n, block):
            distances = rows.new_zeros(min(block, n - start), m)
            for X, origin, Y, squares in zip(features, origins, towards, norms, strict=True):
                x = X[start : start + block] - origin
                products = torch.addmm(squares, x, Y.T, alpha=-2)
                distances += products.add_(torch.linalg.vecdot(x, x)[:, None]).clamp_(min=0).sqrt_()
            here = same[(own[same] >= start) & (own[same] < start + block)]
            distances[own[here] - start, here] = 0
            rows[start : start + block] = distances.sum(1)
            columns += distances.sum(0)
    return rows, columns
