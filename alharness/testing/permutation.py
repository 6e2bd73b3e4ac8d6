"""A view with its rows in another order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from alharness.api.vocabulary import FUSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from alharness.api.sampler import Query, View


class PermutedView:
    """Another view with its rows in another order; draws are the same draws.

    Args:
        view: the other one.
        order: (n,) row i is row order[i] of the other one.
    """

    def __init__(self, view: View, order: Tensor) -> None:
        self._view = view
        self._order = order

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids in the new order."""
        ids = self._view.ids
        return tuple(ids[i] for i in self._order.tolist())

    def __len__(self) -> int:
        return len(self._order)

    def embeddings(self, source: str = FUSED) -> Tensor:
        """(n, d)."""
        return self._view.embeddings(source)[self._order]

    def representations(self, modality: str) -> Tensor:
        """(n, d_u)."""
        return self._view.representations(modality)[self._order]

    def context(self) -> dict[str, Tensor]:
        """Name -> (n, ...)."""
        return {name: x[self._order] for name, x in self._view.context().items()}

    def predictions(self, source: str = FUSED) -> Tensor:
        """(n, C) or (n, 1)."""
        return self._view.predictions(source)[self._order]

    def mc_draws(self, draws: int, source: str = FUSED) -> Iterator[Tensor]:
        """The same masks for the same samples."""
        for draw in self._view.mc_draws(draws, source):
            yield draw[self._order]

    def targets(self) -> Tensor:
        """(n,)."""
        return self._view.targets()[self._order]


def permuted_query(query: Query) -> tuple[Query, Tensor]:
    """The query with its unlabeled samples in another order, and that order."""
    order = torch.randperm(len(query.unlabeled), generator=torch.Generator().manual_seed(3))
    return replace(query, unlabeled=PermutedView(query.unlabeled, order)), order
