"""Points that are products of two factors, such as gradients of a head: their distances need no product of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from .numerics import centroid, working_dtype

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor


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

    def at(self, rows: slice | list[int]) -> Factored:
        """Some of them, in this order: views of a slice, otherwise copies."""
        return Factored(*(part[rows] for part in self))

    @classmethod
    def joined(cls, parts: Sequence[Factored]) -> Factored:
        """Those of all parts, one after another."""
        return parts[0] if len(parts) == 1 else cls(*(torch.cat(columns) for columns in zip(*parts, strict=True)))

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
        h: (n, d) right factors; those of half precision are computed with in float32.
        block: rows in a block.
        origin: (d,) near the points; by default their mean.

    Attributes:
        norms: (n,) float64, |g_i|².
    """

    def __init__(self, q: Tensor, h: Tensor, block: int, origin: Tensor | None = None) -> None:
        n, d = h.shape
        dtype = working_dtype(h)
        self._q, self._h, self._origin = q.double(), h, centroid(h, block) if origin is None else origin
        self._slices = [slice(start, start + block) for start in range(0, n, block)]
        # Blocks are written into one place: freed ones of their size leave holes that the allocator cannot reuse.
        self._scratch = self._origin.new_empty(min(block, n), d)
        towards = [h] if dtype == h.dtype or n == 0 else [h[rows].to(dtype) for rows in self._slices]
        products = [torch.mv(rows.to(dtype), self._origin).double() for rows in towards]
        self._shifts = torch.cat(products) - 0.5 * self._origin.dot(self._origin).double()
        self.norms, self._slack = torch.zeros_like(self._shifts), torch.zeros_like(self._shifts)
        for rows, points in self.blocks():
            squares = torch.linalg.vecdot(points.x, points.x).double()
            weights = torch.linalg.vecdot(points.q, points.q)
            self.norms[rows] = weights * (squares + 2 * points.shifts)
            rounding = (
                torch.finfo(dtype).eps * weights * squares + torch.finfo(torch.float64).eps * self.norms[rows]
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
        return self._points(positions, self._h[positions].to(self._origin.dtype).sub_(self._origin))

    def _points(self, rows: slice | Tensor, x: Tensor) -> Factored:
        return Factored(x, self._q[rows], self._shifts[rows], self.norms[rows], self._slack[rows])
