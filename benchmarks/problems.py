"""The made-up pools that kernels are measured on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import torch


class Data(NamedTuple):
    """A pool and what a linear head says of it.

    Attributes:
        pool: (N, D) float32.
        labeled: (L, D) float32.
        log_probabilities: (N, C) float32, of the pool.
    """

    pool: torch.Tensor
    labeled: torch.Tensor
    log_probabilities: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Points around 4·C Gaussian centers, with unit noise, and a random linear softmax head.

    Attributes:
        N: points in the pool.
        D: features.
        k: points to pick, or whatever a kernel does so many times.
        C: classes.
        L: labeled points.
        members: sets of N points, if a kernel takes several.
    """

    N: int
    D: int
    k: int = 0
    C: int = 7
    L: int = 200
    members: int = 1

    @property
    def tiny(self) -> Self:
        """The same in so small that it takes no time, for warming up and for trying out."""
        return replace(self, N=min(self.N, 600), D=min(self.D, 16), k=min(self.k, 5), L=min(self.L, 20))

    def of_size(self, N: int) -> Self:
        """The same with another pool."""
        return replace(self, N=N)

    def data(self, member: int = 0) -> Data:
        """Its numbers: the same for every call with the same member."""
        generator = torch.Generator().manual_seed(member)
        centers = torch.randn(4 * self.C, self.D, generator=generator)
        points = torch.randn(self.N + self.L, self.D, generator=generator)
        which = torch.randint(4 * self.C, (len(points),), generator=generator)
        # In blocks: a temporary of the pool's size would count as memory of what is measured next.
        for rows in range(0, len(points), 1024):
            points[rows : rows + 1024] += centers[which[rows : rows + 1024]]
        head = torch.randn(self.D, self.C, generator=generator) * (1.5 / self.D**0.5)
        pool = points[: self.N]
        return Data(pool, points[self.N :], (pool @ head).log_softmax(1))
