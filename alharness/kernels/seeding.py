"""k-means++ seeding: a point is picked with a probability in proportion to its squared distance from the picks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from alharness.errors import SamplerError

from .centers import PartFacts, common_origin
from .factored import Factored, FactoredPool
from .numerics import centroid, full_precision, require_finite

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
        h: (n, d) right factors, float32 or float64, the precision of their products, or of half precision: then
            they are computed with in float32.
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
    part = SeedingPart(q, h, uniforms, block=block)
    return k_means_plus_plus_in_parts(part.alone, k, first=first, front=front)


@torch.no_grad()
def k_means_plus_plus_in_parts(
    ask: Callable[..., Sequence[Any]], k: int, *, first: int | None = None, front: int | None = None
) -> Tensor:
    """The picks of `k_means_plus_plus`, of a pool whose rows are in several parts.

    The race is run in the fronts of all parts together, for as long as no clock outside can run out earlier. So
    the law is the same, and so are the picks if the uniform numbers of all parts in a row are those of the pool.
    What is sent and kept here has the size of the front and of the picks, whatever that of the pool.

    Args:
        ask: `ask(name, *arguments)` calls that method of the `SeedingPart` of every part, and returns their
            answers in the order of the parts.
        k: from 0 to n.
        first: the position to pick first; by default that of the largest norm, the lowest on a tie.
        front: points in all fronts together; by default as in `k_means_plus_plus`.

    Returns:
        (k,) int64 positions in the whole pool, in the order of picking.

    Raises:
        SamplerError: as `k_means_plus_plus`.

    >>> import torch
    >>> points = torch.tensor([[3.0, 0.0], [0.0, 1.0], [3.0, 0.0]])
    >>> parts = [SeedingPart(None, points[i : i + 1], torch.tensor([0.5]), start=i) for i in range(3)]
    >>> k_means_plus_plus_in_parts(lambda name, *of: [getattr(part, name)(*of) for part in parts], 2)
    tensor([0, 1])
    """
    facts: list[PartFacts] = list(ask("facts"))
    n = sum(part.size for part in facts)
    if not 0 <= k <= n:
        raise SamplerError(f"cannot pick {k} of {n} points")
    if first is not None and not 0 <= first < n:
        raise SamplerError(f"the first pick is position {first} of {n} points")
    origin = common_origin([(part.size, part.centroid) for part in facts])
    if origin is None or k == 0:
        return torch.empty(0, dtype=torch.int64, device=None if origin is None else origin.device)
    if front is None:
        # A front of f points is used up after about f picks. A shorter one means more updates of the pool, a
        # longer one makes each pick cost more.
        front = max(256, min(k, n // 32))
    share = -(-front // len(facts))
    with full_precision(origin.device):
        longest = [best for best in ask("begin", origin) if best is not None]
        start = max(longest, key=lambda best: best[0])[1] if first is None else first
        picks: list[int] = []
        new, waits, points = [start], [0.0], Factored.joined(ask("at", [start]))
        while new:
            picks += new
            if len(picks) == k:
                return torch.tensor(picks, device=origin.device)
            ahead = Ahead.joined(ask("take", new, waits, points, share))
            rows, waits = ahead.run(k - len(picks))
            new, points = ahead.positions[rows].tolist(), ahead.points.at(rows)
        rest = ask("rest", k - len(picks))
        clocks, positions = (torch.cat([part[i] for part in rest]) for i in range(2))
        rest_in_order = positions[clocks.argsort(stable=True)[: k - len(picks)]]
        return torch.cat([torch.tensor(picks, device=origin.device), rest_in_order])


class Ahead(NamedTuple):
    """The points whose clocks are predicted to run out next, of one part or of several, in the pool's order.

    Attributes:
        positions: (f,) int64 in the whole pool.
        points: of the same rows.
        clocks: (f,) float64, the time left on each.
        gaps: (f,) float64, the speed of each.
        behind: the shortest wait outside; infinite if there is none.
    """

    positions: Tensor
    points: Factored
    clocks: Tensor
    gaps: Tensor
    behind: float

    @classmethod
    def joined(cls, parts: Sequence[Ahead]) -> Ahead:
        """Those of all parts, as one."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            torch.cat([part.positions for part in parts]),
            Factored.joined([part.points for part in parts]),
            torch.cat([part.clocks for part in parts]),
            torch.cat([part.gaps for part in parts]),
            min(part.behind for part in parts),
        )

    def run(self, most: int) -> tuple[list[int], list[float]]:
        """Rows of the next picks and the wait before each: as many as are sure, none if all gaps are 0."""
        points, clocks, gaps, behind = self.points, self.clocks.clone(), self.gaps.clone(), self.behind
        picks: list[int] = []
        waits: list[float] = []
        while len(picks) < most:
            soonest, at = _waits(clocks, gaps).min(0)
            wait, i = soonest.item(), int(at)
            # The very first pick is safe however it compares: fronts were taken in the order of the waits.
            if wait == torch.inf or (picks and wait >= behind):
                break
            picks.append(i)
            waits.append(wait)
            behind -= wait
            clocks.sub_(gaps, alpha=wait).clamp_(min=0)
            torch.minimum(gaps, points.squared_distances(points.at(slice(i, i + 1)))[:, 0], out=gaps)
            clocks[i] = torch.inf
        return picks, waits


class SeedingPart:
    """Points g_i = q_i ⊗ h_i of a pool that are in one place, with clocks, and gaps that are their speeds.

    Args:
        q: (n, c) left factors; None if g_i = h_i.
        h: (n, d) right factors, float32, float64, or of half precision, which is computed with in float32.
        uniforms: (n,) in [0, 1), independent.
        start: position of its first point in the whole pool.
        block: rows in a block of a matrix product.

    Raises:
        SamplerError: factors are not finite, shapes do not fit, or a number is out of range.

    >>> import torch
    >>> part = SeedingPart(None, torch.tensor([[0.0], [5.0]]), torch.tensor([0.5, 0.5]), start=10)
    >>> part.begin(part.facts().centroid)
    (25.0, 11)
    """

    def __init__(
        self, q: Tensor | None, h: Tensor, uniforms: Tensor, *, start: int = 0, block: int = 1024
    ) -> None:
        q = h.new_ones(len(h), 1) if q is None else q
        _check(q, h, uniforms)
        self._q, self._h, self._block = q, h, block
        self.start = start
        self._clocks = -torch.log1p(-uniforms.to(h.device, torch.float64))
        # Finite: infinity times no time at all would be NaN.
        self._gaps = torch.full_like(self._clocks, torch.finfo(torch.float64).max)

    def alone(self, name: str, *of: Any) -> list[Any]:
        """`ask` of a pool in one piece."""
        return [getattr(self, name)(*of)]

    @torch.no_grad()
    def facts(self) -> PartFacts:
        """How many points, and where."""
        return PartFacts(len(self._h), centroid(self._h, self._block) if len(self._h) else None)

    @torch.no_grad()
    def begin(self, origin: Tensor) -> tuple[float, int] | None:
        """The largest squared length and its position; None without points."""
        with full_precision(self._h.device):
            self._pool = FactoredPool(self._q, self._h, self._block, origin.to(self._h.device))
        if not len(self._h):
            return None
        row = int(self._pool.norms.argmax())
        return self._pool.norms[row].item(), row + self.start

    @torch.no_grad()
    def at(self, positions: Sequence[int]) -> Factored:
        """Those of these points that are here."""
        return self._pool.at(torch.tensor(self._own(positions), dtype=torch.int64, device=self._h.device))

    @torch.no_grad()
    def take(self, positions: Sequence[int], waits: Sequence[float], points: Factored, size: int) -> Ahead:
        """Live through these picks, some of them of other parts, each with the wait before it; what is next."""
        with full_precision(self._h.device):
            self._advance(positions, waits, points)
            ahead = _waits(self._clocks, self._gaps).topk(min(size + 1, len(self._gaps)), largest=False)
            behind = ahead.values[size].item() if len(ahead.values) > size else torch.inf
            rows = ahead.indices[:size].sort().values
            return Ahead(rows + self.start, self._pool.at(rows), self._clocks[rows], self._gaps[rows], behind)

    @torch.no_grad()
    def rest(self, most: int) -> tuple[Tensor, Tensor]:
        """The shortest clocks of what was not picked, at most so many, and their positions."""
        rows = self._clocks.argsort(stable=True)[:most]
        return self._clocks[rows], rows + self.start

    def _own(self, positions: Sequence[int]) -> list[int]:
        return [p - self.start for p in positions if 0 <= p - self.start < len(self._h)]

    def _advance(self, positions: Sequence[int], waits: Sequence[float], points: Factored) -> None:
        centers = Factored(*(column.to(self._gaps.device) for column in points))
        times = torch.tensor(waits, dtype=torch.float64, device=self._gaps.device)
        for rows, own in self._pool.blocks():
            distances = own.squared_distances(centers)
            gaps = torch.cat([self._gaps[rows, None], distances], 1).cummin(1).values
            self._clocks[rows] -= torch.mv(gaps[:, :-1], times)
            self._gaps[rows] = gaps[:, -1]
        self._clocks.clamp_(min=0)
        self._clocks[self._own(positions)] = torch.inf


def _waits(clocks: Tensor, gaps: Tensor) -> Tensor:
    """(n,) how long until each clock runs out if its gap stays; infinite if the gap is 0."""
    return torch.where(gaps > 0, clocks / gaps, torch.inf)


def _check(q: Tensor, h: Tensor, uniforms: Tensor) -> None:
    n = len(h)
    if len(q) != n or uniforms.shape != (n,):
        raise SamplerError(
            f"every point needs two factors and a uniform number: there are {len(q)} left factors, {n} right ones "
            f"and uniforms of shape {tuple(uniforms.shape)}"
        )
    if not ((uniforms >= 0) & (uniforms < 1)).all():
        raise SamplerError("the uniform numbers must be in [0, 1)")
    require_finite(q, "the left factors")
    require_finite(h, "the features")
