"""k-means++ seeding: a point is picked with a probability in proportion to its squared distance from the picks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from alharness.errors import SamplerError

from .numerics import centroid, full_precision, require_finite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor


def textbook_k_means_plus_plus(
    points: Tensor, k: int, first: int, generator: torch.Generator | None = None
) -> Tensor:
    """What `k_means_plus_plus` must equal in law: D² sampling, Arthur & Vassilvitskii 2007, section 2.2.

    >>> import torch
    >>> points = torch.tensor([[3.0], [0.0], [3.0]])  # the last is a duplicate of the first
    >>> textbook_k_means_plus_plus(points, k=2, first=0)
    tensor([0, 1])
    """
    picks = [first]
    gaps = (points - points[first]).square().sum(1)
    while len(picks) < k:
        picks.append(int(torch.multinomial(gaps, 1, generator=generator)))
        gaps = torch.minimum(gaps, (points - points[picks[-1]]).square().sum(1))
    return torch.tensor(picks)


@torch.no_grad()
def k_means_plus_plus(
    q: Tensor | None,
    h: Tensor,
    k: int,
    uniforms: Tensor,
    *,
    first: int | None = None,
    block: int = 1024,
    front: int | None = None,
) -> Tensor:
    """Positions of k picks among the points g_i = q_i ⊗ h_i, which are never formed.

    D² sampling of Arthur & Vassilvitskii 2007, "k-means++: the advantages of careful seeding", section 2.2,
    without repeats: the law of `textbook_k_means_plus_plus`, drawn as an exponential race. Each point has a clock
    that is set to an exponentially distributed time and runs down at the speed of the point's gap, its squared
    distance to the nearest pick. The point whose clock runs out first is the next pick. This picks each point with
    probability proportional to its gap, and the time left on the other clocks is exponentially distributed again.
    Gaps only shrink, so no clock runs out earlier than predicted. So per pick only the *front*, the points
    predicted to be next, is updated, and the whole pool once for many picks, in one matrix product. Extra memory:
    O(n·c) numbers and O(block + front) rows.

    Args:
        q: (n, c) left factors; None if g_i = h_i.
        h: (n, d) right factors, float32 or float64, the precision of their products.
        k: from 0 to n.
        uniforms: (n,) in [0, 1), independent; they set the clocks and are all the randomness there is.
        first: the position to pick first; by default that of the largest norm, the lowest on a tie.
        block: rows in a block of a matrix product.
        front: points in the front; by default k, at least 256, and beyond that no more than a 32nd of the pool.
            Neither this nor `block` changes the picks, up to rounding.

    Returns:
        (k,) int64, distinct, in the order of picking. If only duplicates of picks are left, or points that are
        equal to them up to rounding, each is equally likely.

    Raises:
        SamplerError: factors are not finite, shapes do not fit, or a number is out of range.

    >>> import torch
    >>> from alharness.kernels import k_means_plus_plus
    >>> points = torch.tensor([[3.0, 0.0], [0.0, 1.0], [3.0, 0.0]])  # the last is a duplicate of the first
    >>> uniforms = torch.rand(3, generator=torch.Generator().manual_seed(0))
    >>> k_means_plus_plus(None, points, 2, uniforms)
    tensor([0, 1])
    """
    if q is None:
        q = h.new_ones(len(h), 1)
    _check(q, h, k, uniforms, first)
    if k == 0:
        return torch.empty(0, dtype=torch.int64, device=h.device)
    if front is None:
        # A front of f points is used up after about f picks. A shorter one means more updates of the pool, a
        # longer one makes each pick cost more.
        front = max(256, min(k, len(h) // 32))
    with full_precision(h.device):
        race = _Race(FactoredPool(q, h, block), uniforms.to(h.device, torch.float64))
        picks: list[int] = []
        new, waits = [int(race.pool.norms.argmax()) if first is None else first], [0.0]
        while new:
            picks += new
            if len(picks) == k:
                return torch.tensor(picks, device=h.device)
            race.advance(new, waits)
            new, waits = race.run(k - len(picks), front)
        rest = race.clocks.argsort(stable=True)[: k - len(picks)]
        return torch.cat([torch.tensor(picks, device=h.device), rest])


class _Race:
    """The clocks of the whole pool, and the gaps that are their speeds."""

    def __init__(self, pool: FactoredPool, uniforms: Tensor) -> None:
        self.pool = pool
        self.clocks = -torch.log1p(-uniforms)
        # Finite: infinity times no time at all would be NaN.
        self.gaps = torch.full_like(self.clocks, torch.finfo(torch.float64).max)

    def run(self, most: int, front: int) -> tuple[list[int], list[float]]:
        """The next picks and the wait before each: as many as the front is sure of, none if all gaps are 0."""
        ahead = _waits(self.clocks, self.gaps).topk(min(front + 1, len(self.gaps)), largest=False)
        behind = ahead.values[front].item() if len(ahead.values) > front else torch.inf
        positions = ahead.indices[:front].sort().values
        points, clocks, gaps = self.pool.at(positions), self.clocks[positions], self.gaps[positions]
        picks: list[int] = []
        waits: list[float] = []
        while len(picks) < most:
            soonest, at = _waits(clocks, gaps).min(0)
            wait, i = soonest.item(), int(at)
            # The very first pick is safe however it compares: the front was taken in the order of the waits.
            if wait == torch.inf or (picks and wait >= behind):
                break
            picks.append(int(positions[i]))
            waits.append(wait)
            behind -= wait
            clocks.sub_(gaps, alpha=wait).clamp_(min=0)
            torch.minimum(gaps, points.squared_distances(points.take(slice(i, i + 1)))[:, 0], out=gaps)
            clocks[i] = torch.inf
        return picks, waits

    def advance(self, picks: list[int], waits: list[float]) -> None:
        """Let the whole pool live through these picks, each with the wait before it."""
        chosen = torch.tensor(picks, device=self.gaps.device)
        centers = self.pool.at(chosen)
        times = torch.tensor(waits, dtype=torch.float64, device=self.gaps.device)
        for rows, points in self.pool.blocks():
            distances = points.squared_distances(centers)
            gaps = torch.cat([self.gaps[rows, None], distances], 1).cummin(1).values
            self.clocks[rows] -= torch.mv(gaps[:, :-1], times)
            self.gaps[rows] = gaps[:, -1]
        self.clocks.clamp_(min=0)
        self.clocks[chosen] = torch.inf


def _waits(clocks: Tensor, gaps: Tensor) -> Tensor:
    """(n,) how long until each clock runs out if its gap stays; infinite if the gap is 0."""
    return torch.where(gaps > 0, clocks / gaps, torch.inf)


def _check(q: Tensor, h: Tensor, k: int, uniforms: Tensor, first: int | None) -> None:
    n = len(h)
    if len(q) != n or uniforms.shape != (n,):
        raise SamplerError(
            f"every point needs two factors and a uniform number: there are {len(q)} left factors, {n} right ones "
            f"and uniforms of shape {tuple(uniforms.shape)}"
        )
    if not 0 <= k <= n:
        raise SamplerError(f"cannot pick {k} of {n} points")
    if first is not None and not 0 <= first < n:
        raise SamplerError(f"the first pick is position {first} of {n} points")
    if not ((uniforms >= 0) & (uniforms < 1)).all():
        raise SamplerError("the uniform numbers must be in [0, 1)")
    require_finite(q, "the left factors")
    require_finite(h, "the features")


class Factored(NamedTuple):
    """Points g_i = q_i ⊗ h_i, with |g_i − g_j|² = |g_i|² + |g_j|² − 2 (q_i · q_j)(h_i · h_j).

    h_i · h_j is taken apart into x_i · x_j + shift_i + shift_j, with x = h − origin, so that what all h have in
    common costs no digits of small distances.

    Attributes:
        x: (n, d), in the precision of the products.
        q: (n, c) float64.
        shifts: (n,) float64.
        norms: (n,) float64, |g_i|².
        slack: (n,) float64, what rounding makes of the squared distance between a point and its duplicate.
    """

    x: Tensor
    q: Tensor
    shifts: Tensor
    norms: Tensor
    slack: Tensor

    def take(self, rows: slice) -> Factored:
        """Some of them, as views."""
        return Factored(*(part[rows] for part in self))

    def squared_distances(self, others: Factored) -> Tensor:
        """(n, m) float64; 0 if the distance is no more than rounding."""
        squares = torch.mm(self.x, others.x.T).double()
        squares += self.shifts[:, None]
        squares += others.shifts
        squares *= torch.mm(self.q, others.q.T)
        torch.add(others.norms, squares, alpha=-2, out=squares)
        squares += self.norms[:, None]
        return squares.masked_fill_(squares <= self.slack[:, None], 0)


class FactoredPool:
    """All points of a pool. In addition to q and h it keeps O(n·c) numbers and `block` rows.

    Args:
        q: (n, c) left factors.
        h: (n, d) right factors, n >= 1, float32 or float64.
        block: rows in a block.

    Attributes:
        norms: (n,) float64, |g_i|².
    """

    def __init__(self, q: Tensor, h: Tensor, block: int) -> None:
        n, d = h.shape
        self._q, self._h, self._origin = q.double(), h, centroid(h, block)
        self._slices = [slice(start, start + block) for start in range(0, n, block)]
        # Blocks are written into one place: freed ones of their size leave holes that the allocator cannot reuse.
        self._scratch = h.new_empty(min(block, n), d)
        self._shifts = torch.mv(h, self._origin).double() - 0.5 * self._origin.dot(self._origin).double()
        self.norms, self._slack = torch.zeros_like(self._shifts), torch.zeros_like(self._shifts)
        for rows, points in self.blocks():
            squares = torch.linalg.vecdot(points.x, points.x).double()
            weights = torch.linalg.vecdot(points.q, points.q)
            self.norms[rows] = weights * (squares + 2 * points.shifts)
            rounding = (
                torch.finfo(h.dtype).eps * weights * squares + torch.finfo(torch.float64).eps * self.norms[rows]
            )
            # Of sums of d products; duplicates were found to come within 0.7 of it, for d up to 20,000.
            self._slack[rows] = max(16, d**0.5) * rounding

    def blocks(self) -> Iterator[tuple[slice, Factored]]:
        """All points; each block is overwritten by the next."""
        for rows in self._slices:
            x = self._h[rows]
            yield rows, self._points(rows, torch.sub(x, self._origin, out=self._scratch[: len(x)]))

    def at(self, positions: Tensor) -> Factored:
        """Copies of the points at these positions."""
        return self._points(positions, self._h[positions].sub_(self._origin))

    def _points(self, rows: slice | Tensor, x: Tensor) -> Factored:
        return Factored(x, self._q[rows], self._shifts[rows], self.norms[rows], self._slack[rows])
