"""k-center greedy: every pick is the point farthest from all centers so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from alharness.errors import SamplerError

from .numerics import centroid, full_precision, require_finite
from .scores import top_k

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


TAKEN = -1.0
"""Below every squared distance: a pick is never picked again, even if only its duplicates are left."""


def textbook_k_center(pool: Tensor, centers: Tensor, k: int, first: int | None = None) -> Tensor:
    """What `k_center` must equal: Sener & Savarese 2018, Algorithm 1, with all distances in memory.

    >>> import torch
    >>> pool = torch.tensor([[0.0], [1.0], [4.0], [9.0]])
    >>> textbook_k_center(pool, pool[:1], 2)
    tensor([3, 2])
    """
    picks = [] if first is None else [first]
    gaps = (pool[:, None] - torch.cat([centers, pool[picks]])).norm(dim=2).amin(1)
    while len(picks) < k:
        gaps[picks] = TAKEN
        picks.append(int(gaps.argmax()))
        gaps = torch.minimum(gaps, (pool - pool[picks[-1]]).norm(dim=1))
    return torch.tensor(picks)


@torch.no_grad()
def k_center(
    pool: Tensor,
    centers: Tensor,
    k: int,
    *,
    first: int | None = None,
    block: int = 1024,
    front: int | None = None,
) -> Tensor:
    """Positions of k picks, each the farthest (Euclidean) from the centers and from the picks before it.

    The picks of `textbook_k_center`. The gap of a point, its squared distance to the nearest
    center, can only shrink. So picks are made within the *front*, the points with the largest gaps, whose
    features stay in a CPU's cache, until its largest gap falls to the largest outside it. Only then the whole
    pool is updated for the new picks, for all of them in one matrix product. Extra memory: O(n) numbers and
    O(block + front) rows.

    Args:
        pool: (n, d) float32 or float64.
        centers: (m, d), of the same dtype; m may be 0.
        k: from 0 to n.
        first: the position to pick first, whatever its gap; needed if there are no centers.
        block: rows in a block of a matrix product.
        front: points in the front; by default 16 k, at least 1024, beyond that no more than a 32nd of the pool.

    Returns:
        (k,) int64, distinct, in the order of picking; ties go to the lowest position.

    Raises:
        SamplerError: rows are not finite, k or `first` is out of range, or there is neither a center nor `first`.

    >>> import torch
    >>> from alharness.kernels import k_center
    >>> pool = torch.tensor([[0.0], [1.0], [4.0], [9.0]])
    >>> k_center(pool, centers=pool[:1], k=2)
    tensor([3, 2])
    """
    _check(pool, centers, k, first)
    if k == 0:
        return torch.empty(0, dtype=torch.int64, device=pool.device)
    if front is None:
        # A front lasts for a tenth as many picks as it has points, or more. A point in it costs ten times more per
        # pick than one outside, so that a small share of the pool pays.
        front = max(1024, min(16 * k, len(pool) // 32))
    with full_precision(pool.device):
        gaps = _Gaps(pool, block)
        for start in range(0, len(centers), block):
            gaps.shrink(centers[start : start + block])
        picks: list[int] = []
        new = gaps.picks(k, front) if first is None else [first]
        while True:
            picks += new
            if len(picks) == k:
                return torch.tensor(picks, device=pool.device)
            gaps.take(new)
            new = gaps.picks(k - len(picks), front)


class _Gaps:
    """The squared distance of every point of the pool to its nearest center."""

    def __init__(self, pool: Tensor, block: int) -> None:
        n, d = pool.shape
        self.pool = pool
        self.blocks = [slice(start, start + block) for start in range(0, n, block)]
        # Blocks are written into one place: freed ones of their size leave holes that the allocator cannot reuse.
        self.scratch = pool.new_empty(min(block, n), d)
        self.origin = centroid(pool, block)
        self.values = pool.new_full((n,), torch.inf)
        self.norms = pool.new_empty(n)
        for rows in self.blocks:
            self.norms[rows] = _norms(self._centered(rows))

    def _centered(self, rows: slice) -> Tensor:
        points = self.pool[rows]
        return torch.sub(points, self.origin, out=self.scratch[: len(points)])

    def shrink(self, centers: Tensor) -> None:
        """Update the gaps with these centers (m, d)."""
        centers = centers - self.origin
        norms, scratch = _norms(centers), centers.new_empty(len(self.scratch), len(centers))
        for rows in self.blocks:
            X = self._centered(rows)
            products = torch.addmm(norms, X, centers.T, alpha=-2, out=scratch[: len(X)])
            self.values[rows].clamp_(max=(products.amin(1) + self.norms[rows]).clamp_(min=0))

    def take(self, picks: Sequence[int]) -> None:
        """Make these points of the pool centers."""
        self.shrink(self.pool[picks])
        self.values[picks] = TAKEN

    def picks(self, most: int, front: int) -> list[int]:
        """The next picks, at least one and as many as the front is sure of."""
        ahead = top_k(self.values, min(front + 1, len(self.values)))
        behind = self.values[ahead[front]].item() if len(ahead) > front else -torch.inf
        # In the pool's order, so that the first of several equal gaps has the lowest position.
        positions = ahead[:front].sort().values
        X = self.pool[positions] - self.origin
        norms, gaps = self.norms[positions], self.values[positions]
        picks: list[int] = []
        while len(picks) < most:
            largest, i = gaps.max(0)
            # A tie with a point outside may belong to a lower position there. The first pick cannot: the front
            # was taken in order of gap and position.
            if picks and largest.item() <= behind:
                break
            picks.append(int(positions[i]))
            gaps.clamp_(max=torch.addmv(norms, X, X[i], alpha=-2).add_(norms[i]).clamp_(min=0))
            gaps[i] = TAKEN
        return picks


def _norms(X: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vecdot(X, X)
    return norms


def _check(pool: Tensor, centers: Tensor, k: int, first: int | None) -> None:
    if not 0 <= k <= len(pool):
        raise SamplerError(f"cannot pick {k} of {len(pool)} points")
    if first is None and k > 0 and len(centers) == 0:
        raise SamplerError("there is no center to be far from; say which point is picked first")
    if first is not None and not 0 <= first < len(pool):
        raise SamplerError(f"the first pick is position {first} of {len(pool)} points")
    require_finite(pool, "the pool's features")
    require_finite(centers, "the centers' features")
