"""k-center greedy: every pick is the point farthest from all centers so far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from alharness.errors import SamplerError

from .numerics import centroid, full_precision, require_finite, working_dtype
from .scores import top_k

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
        pool: (n, d) float32 or float64, or of half precision: then all is computed in float32.
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
    part = CenterPart(pool, centers, block=block)
    return k_center_in_parts(part.alone, k, first=first, front=front, radius=False).positions


class Centers(NamedTuple):
    """What `k_center_in_parts` found.

    Attributes:
        positions: (k,) int64 in the whole pool, in the order of picking.
        radius: the largest distance of a point of the pool to its nearest center or pick; NaN if it was not
            asked for, or there is nothing to be near.
        rounds: how often the parts were asked for a front.
    """

    positions: Tensor
    radius: float
    rounds: int


@torch.no_grad()
def k_center_in_parts(
    ask: Callable[..., Sequence[Any]],
    k: int,
    *,
    first: int | None = None,
    front: int | None = None,
    radius: bool = True,
) -> Centers:
    """The picks of `k_center`, of a pool whose rows are in several parts.

    Each part sends a front of its own, and picks are made in all of them together for as long as the largest gap
    is above the largest outside the fronts. So the picks are those of a pool in one piece, up to rounding, and
    with them Gonzalez's guarantee: the radius is at most twice the smallest that k picks can have. What is sent
    and kept here has the size of the front and of the picks, whatever that of the pool.

    Args:
        ask: `ask(name, *arguments)` calls that method of the `CenterPart` of every part, and returns their answers
            in the order of the parts.
        k: from 0 to n.
        first: the position to pick first, whatever its gap; needed if there are no centers.
        front: points in all fronts together; by default as in `k_center`.
        radius: say how far the farthest point is in the end.

    Raises:
        SamplerError: as `k_center`.

    >>> import torch
    >>> pool = torch.tensor([[0.0], [1.0], [4.0], [9.0]])
    >>> parts = [CenterPart(pool[:2], pool[:1]), CenterPart(pool[2:], pool[:1], start=2)]
    >>> found = k_center_in_parts(lambda name, *of: [getattr(part, name)(*of) for part in parts], 2)
    >>> found.positions, found.radius
    (tensor([3, 2]), 1.0)
    """
    facts: list[PartFacts] = list(ask("facts"))
    n = sum(part.size for part in facts)
    _check(n, facts[0].centers, k, first)
    empty = torch.empty(0, dtype=torch.int64)
    origin = common_origin([(part.size, part.centroid) for part in facts])
    if origin is None or (k == 0 and not radius):
        return Centers(empty, math.nan, 0)
    if front is None:
        # A front lasts for a tenth as many picks as it has points, or more. A point in it costs ten times more per
        # pick than one outside, so that a small share of the pool pays.
        front = max(1024, min(16 * k, n // 32))
    share = -(-front // len(facts))
    with full_precision(origin.device):
        ahead = Front.joined(ask("begin", origin, share if k > 0 and first is None else 0))
        picks: list[int] = []
        rounds = 0
        left = -math.inf  # the largest gap that is known
        chosen = None if first is None or k == 0 else Front.joined(ask("at", [first]))
        while len(picks) < k:
            if chosen is None:
                rounds += 1
                rows, left = ahead.picks(k - len(picks))
                chosen = ahead.at(rows)
            new = chosen.positions.tolist()
            picks += new
            if len(picks) == k:
                if radius and left < ahead.behind:
                    left = max(ask("farthest", chosen.points, new, left))
            else:
                ahead = Front.joined(ask("take", chosen.points, new, share))
                chosen = None
        widest = max(0.0, left if picks else ahead.behind)
    positions = torch.tensor(picks, device=origin.device) if picks else empty.to(origin.device)
    return Centers(positions, widest**0.5 if radius and widest < math.inf else math.nan, rounds)


class PartFacts(NamedTuple):
    """What a part of a pool says before anything is computed.

    Attributes:
        size: how many points it has.
        centroid: (d,) their mean; None without points.
        centers: how many centers it was given.
    """

    size: int
    centroid: Tensor | None
    centers: int = 0


def common_origin(centroids: Sequence[tuple[int, Tensor | None]]) -> Tensor | None:
    """(d,) the mean of all points, from the size and the mean of each part; None if there is no point."""
    filled = [(size, mean) for size, mean in centroids if mean is not None]
    if not filled:
        return None
    base = filled[0][1]
    if len(filled) == 1:
        return base
    total = sum(size for size, _ in filled)
    weighted = [(mean - base).double() * (size / total) for size, mean in filled]
    return base + torch.stack(weighted).sum(0).to(base.dtype)


class Front(NamedTuple):
    """The points with the largest gaps, of one part or of several, in the order of their positions.

    Attributes:
        positions: (f,) int64 in the whole pool.
        points: (f, d) about the common origin.
        norms: (f,) their squared lengths.
        gaps: (f,) their squared distances to the nearest center.
        behind: the largest gap outside; minus infinity if there is none.
    """

    positions: Tensor
    points: Tensor
    norms: Tensor
    gaps: Tensor
    behind: float

    @classmethod
    def joined(cls, fronts: Sequence[Front]) -> Front:
        """Those of all parts, as one."""
        if len(fronts) == 1:
            return fronts[0]
        return cls(
            torch.cat([front.positions for front in fronts]),
            torch.cat([front.points for front in fronts]),
            torch.cat([front.norms for front in fronts]),
            torch.cat([front.gaps for front in fronts]),
            max(front.behind for front in fronts),
        )

    def at(self, rows: list[int]) -> Front:
        """Some of them, in this order."""
        return Front(self.positions[rows], self.points[rows], self.norms[rows], self.gaps[rows], self.behind)

    def picks(self, most: int) -> tuple[list[int], float]:
        """Rows of the next picks, at least one and as many as the front is sure of; the largest gap then left."""
        X, norms, gaps = self.points, self.norms, self.gaps.clone()
        picks: list[int] = []
        while len(picks) < most:
            largest, i = gaps.max(0)
            # A tie with a point outside may belong to a lower position there. The first pick cannot: each front
            # was taken in order of gap and position.
            if picks and largest.item() <= self.behind:
                break
            picks.append(int(i))
            gaps.clamp_(max=torch.addmv(norms, X, X[i], alpha=-2).add_(norms[i]).clamp_(min=0))
            gaps[i] = TAKEN
        return picks, gaps.max().item()


class CenterPart:
    """Points of a pool that are in one place, and the gap of each: its squared distance to the nearest center.

    Args:
        pool: (n, d) float32, float64, or of half precision, which is computed with in float32.
        centers: (m, d), the same for all parts; m may be 0.
        start: position of its first point in the whole pool.
        block: rows in a block of a matrix product.

    Raises:
        SamplerError: rows are not finite.

    >>> import torch
    >>> part = CenterPart(torch.tensor([[0.0], [5.0]]), torch.tensor([[1.0]]), start=10)
    >>> part.begin(part.facts().centroid, 1).positions
    tensor([11])
    """

    def __init__(self, pool: Tensor, centers: Tensor, *, start: int = 0, block: int = 1024) -> None:
        n, d = pool.shape
        require_finite(pool, "the pool's features")
        require_finite(centers, "the centers' features")
        self.pool = pool
        self.start = start
        self._centers = centers.to(working_dtype(pool))
        self._block = block
        self._blocks = [slice(row, row + block) for row in range(0, n, block)]
        # Blocks are written into one place: freed ones of their size leave holes that the allocator cannot reuse.
        self._scratch = self._centers.new_empty(min(block, n), d)
        self._values = self._centers.new_full((n,), torch.inf)
        self._norms = self._centers.new_empty(n)

    def alone(self, name: str, *of: Any) -> list[Any]:
        """`ask` of a pool in one piece."""
        return [getattr(self, name)(*of)]

    @torch.no_grad()
    def facts(self) -> PartFacts:
        """How many points and centers, and where."""
        middle = centroid(self.pool, self._block) if len(self.pool) else None
        return PartFacts(len(self.pool), middle, len(self._centers))

    @torch.no_grad()
    def begin(self, origin: Tensor, size: int) -> Front:
        """Compute the gaps to the centers; the front of this size."""
        self._origin = origin.to(self._centers.device)
        with full_precision(self.pool.device):
            for rows in self._blocks:
                self._norms[rows] = _norms(self._centered(rows))
            for start in range(0, len(self._centers), self._block):
                self._shrink(self._centers[start : start + self._block] - self._origin)
            return self._front(size)

    @torch.no_grad()
    def take(self, points: Tensor, positions: Sequence[int], size: int) -> Front:
        """Make these points centers, about the origin, some of them of other parts; the front of this size."""
        with full_precision(self.pool.device):
            self._shrink(points.to(self._centers.device))
            self._values[self._own(positions)] = TAKEN
            return self._front(size)

    @torch.no_grad()
    def farthest(self, points: Tensor, positions: Sequence[int], known: float) -> float:
        """The largest gap once these points are centers, too, or `known`, if no gap is larger than that.

        The last of all questions: only points that can be farther are updated.
        """
        centers = points.to(self._centers.device)
        self._values[self._own(positions)] = TAKEN
        rows = (self._values > known).nonzero()[:, 0]
        norms = _norms(centers)
        with full_precision(self.pool.device):
            for some in torch.split(rows, self._block) if len(rows) else ():
                X = self.pool[some] - self._origin
                gaps = torch.addmm(norms, X, centers.T, alpha=-2).amin(1).add_(self._norms[some]).clamp_(min=0)
                known = max(known, torch.minimum(gaps, self._values[some]).max().item())
        return known

    @torch.no_grad()
    def at(self, positions: Sequence[int]) -> Front:
        """Those of these points that are here, as a front."""
        return self._points(torch.tensor(self._own(positions), dtype=torch.int64, device=self.pool.device))

    def _own(self, positions: Sequence[int]) -> list[int]:
        return [p - self.start for p in positions if 0 <= p - self.start < len(self.pool)]

    def _centered(self, rows: slice) -> Tensor:
        points = self.pool[rows]
        return torch.sub(points, self._origin, out=self._scratch[: len(points)])

    def _shrink(self, centers: Tensor) -> None:
        """Update the gaps with these centers (m, d), about the origin."""
        norms, scratch = _norms(centers), centers.new_empty(len(self._scratch), len(centers))
        for rows in self._blocks:
            X = self._centered(rows)
            products = torch.addmm(norms, X, centers.T, alpha=-2, out=scratch[: len(X)])
            self._values[rows].clamp_(max=(products.amin(1) + self._norms[rows]).clamp_(min=0))

    def _front(self, size: int) -> Front:
        if size == 0:
            behind = self._values.max().item() if len(self._values) else -torch.inf
            return self._points(torch.empty(0, dtype=torch.int64, device=self.pool.device), behind)
        ahead = top_k(self._values, min(size + 1, len(self._values)))
        behind = self._values[ahead[size]].item() if len(ahead) > size else -torch.inf
        # In the pool's order, so that the first of several equal gaps has the lowest position.
        return self._points(ahead[:size].sort().values, behind)

    def _points(self, rows: Tensor, behind: float = -math.inf) -> Front:
        X = self.pool[rows] - self._origin
        return Front(rows + self.start, X, self._norms[rows], self._values[rows], behind)


def _norms(X: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vecdot(X, X)
    return norms


def _check(n: int, centers: int, k: int, first: int | None) -> None:
    if not 0 <= k <= n:
        raise SamplerError(f"cannot pick {k} of {n} points")
    if first is None and k > 0 and centers == 0:
        raise SamplerError("there is no center to be far from; say which point is picked first")
    if first is not None and not 0 <= first < n:
        raise SamplerError(f"the first pick is position {first} of {n} points")
