"""Points that are outer products, g = q ⊗ h, and their distances without ever forming one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from .centering import centroid

if TYPE_CHECKING:
    from collections.abc import Iterator


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

    x: torch.Tensor
    q: torch.Tensor
    shifts: torch.Tensor
    norms: torch.Tensor
    slack: torch.Tensor

    def take(self, rows: slice) -> Factored:
        """Some of them, as views."""
        return Factored(*(part[rows] for part in self))

    def squared_distances(self, others: Factored) -> torch.Tensor:
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

    def __init__(self, q: torch.Tensor, h: torch.Tensor, block: int) -> None:
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

    def at(self, positions: torch.Tensor) -> Factored:
        """Copies of the points at these positions."""
        return self._points(positions, self._h[positions].sub_(self._origin))

    def _points(self, rows: slice | torch.Tensor, x: torch.Tensor) -> Factored:
        return Factored(x, self._q[rows], self._shifts[rows], self.norms[rows], self._slack[rows])
