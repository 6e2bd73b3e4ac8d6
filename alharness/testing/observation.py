"""Queries through other views: which features a sampler reads, whether the order of the pool matters to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from alharness.api.vocabulary import FUSED, Feature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from torch import Tensor

    from alharness.api.sampler import Query, View


class DerivedView:
    """Another view, of which readings are noted, and rows may be in another order; draws are the same draws.

    Args:
        view: the other one.
        note: gets the feature whenever one is read. Labels, when they were bought, and what is present need no
            declaration, and are not noted.
        order: (n,) row i is row order[i] of the other one; None keeps them.
    """

    def __init__(
        self, view: View, note: Callable[[Feature], object] = lambda _: None, order: Tensor | None = None
    ) -> None:
        self._view, self._note, self._order = view, note, order

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids in the order of this view."""
        ids = self._view.ids
        return ids if self._order is None else tuple(ids[i] for i in self._order.tolist())

    def __len__(self) -> int:
        return len(self._view if self._order is None else self._order)

    def embeddings(self, source: str = FUSED) -> Tensor:
        """(n, d)."""
        return self._rows(self._noted(Feature.EMBEDDINGS).embeddings(source))

    def representations(self, modality: str) -> Tensor:
        """(n, d_u)."""
        return self._rows(self._noted(Feature.REPRESENTATIONS).representations(modality))

    def context(self) -> dict[str, Tensor]:
        """Name -> (n, ...); noted as representations, which it goes with."""
        return {name: self._rows(x) for name, x in self._noted(Feature.REPRESENTATIONS).context().items()}

    def predictions(self, source: str = FUSED) -> Tensor:
        """(n, C) or (n, 1)."""
        return self._rows(self._noted(Feature.PREDICTIONS).predictions(source))

    def mc_draws(self, draws: int, source: str = FUSED) -> Iterator[Tensor]:
        """The same masks for the same samples."""
        return map(self._rows, self._noted(Feature.MC_DRAWS).mc_draws(draws, source))

    def inputs(self, modality: str) -> Tensor:
        """(n, d)."""
        return self._rows(self._noted(Feature.INPUTS).inputs(modality))

    def present(self, modality: str) -> Tensor:
        """(n,) bool."""
        return self._rows(self._view.present(modality))

    def truth(self, name: str) -> Tensor:
        """(n,) or (n, k)."""
        return self._rows(self._noted(Feature.TRUTH).truth(name))

    def targets(self, source: str = FUSED) -> Tensor:
        """(n,)."""
        return self._rows(self._view.targets(source))

    def bought(self) -> Tensor:
        """(n,) int64."""
        return self._rows(self._view.bought())

    def _noted(self, feature: Feature) -> View:
        self._note(feature)
        return self._view

    def _rows(self, x: Tensor) -> Tensor:
        return x if self._order is None else x[self._order]


def observe(query: Query) -> tuple[Query, set[Feature]]:
    """The same query, and the set in which the features that are read from it will be."""
    read: set[Feature] = set()

    def decode(z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        read.add(Feature.DECODE)
        return query.decode(z)

    def embed(z: Mapping[str, Tensor], source: str = FUSED) -> Tensor:
        read.update((Feature.DECODE, Feature.EMBEDDINGS))
        return query.embed(z, source)

    observed = replace(
        query,
        unlabeled=DerivedView(query.unlabeled, read.add),
        labeled=DerivedView(query.labeled, read.add),
        decode=decode,
        embed=embed,
    )
    return observed, read


def truth_noted(query: Query) -> tuple[Query, set[str]]:
    """The same query, and the set in which the names of the truth that is read from it will be."""
    asked: set[str] = set()

    class Noting(DerivedView):
        def truth(self, name: str) -> Tensor:
            asked.add(name)
            return super().truth(name)

    return replace(query, unlabeled=Noting(query.unlabeled), labeled=Noting(query.labeled)), asked


def permuted_query(query: Query) -> tuple[Query, Tensor]:
    """The query with its unlabeled samples in another order, and that order."""
    order = torch.randperm(len(query.unlabeled), generator=torch.Generator().manual_seed(3))
    return replace(query, unlabeled=DerivedView(query.unlabeled, order=order)), order


def kept_tensors(query: Query, features: AbstractSet[Feature]) -> dict[str, Tensor]:
    """All tensors of these features that the views of a query keep, by name, and the labels.

    Draws are not among them: they are made again for each request, and shared with no other reader.
    """
    kept = {"the labels of the labeled view": query.labeled.targets()}
    for side, view in {"unlabeled": query.unlabeled, "labeled": query.labeled}.items():
        for source in (*query.modalities, FUSED):
            for feature, read in _readers(view, source).items():
                if feature in features:
                    kept[f"{feature.value} of {source!r} in the {side} view"] = read(source)
    return kept


def _readers(view: View, source: str) -> dict[Feature, Callable[[str], Tensor]]:
    readers: dict[Feature, Callable[[str], Tensor]] = {
        Feature.EMBEDDINGS: view.embeddings,
        Feature.PREDICTIONS: view.predictions,
    }
    if source != FUSED:
        readers |= {Feature.REPRESENTATIONS: view.representations, Feature.INPUTS: view.inputs}
    return readers
