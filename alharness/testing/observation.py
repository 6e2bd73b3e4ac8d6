"""Which features a sampler reads, and what it could change by mistake."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alharness.api.vocabulary import FUSED, Feature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from torch import Tensor

    from alharness.api.sampler import Query, View


class ObservedView:
    """Another view that notes which features are read."""

    def __init__(self, view: View, read: set[Feature]) -> None:
        self._view = view
        self._read = read

    @property
    def ids(self) -> tuple[str, ...]:
        """Those of the other view."""
        return self._view.ids

    def __len__(self) -> int:
        return len(self._view)

    def embeddings(self, source: str = FUSED) -> Tensor:
        """Noted."""
        self._read.add(Feature.EMBEDDINGS)
        return self._view.embeddings(source)

    def representations(self, modality: str) -> Tensor:
        """Noted."""
        self._read.add(Feature.REPRESENTATIONS)
        return self._view.representations(modality)

    def context(self) -> dict[str, Tensor]:
        """Noted as representations, which it goes with."""
        self._read.add(Feature.REPRESENTATIONS)
        return self._view.context()

    def predictions(self, source: str = FUSED) -> Tensor:
        """Noted."""
        self._read.add(Feature.PREDICTIONS)
        return self._view.predictions(source)

    def mc_draws(self, draws: int, source: str = FUSED) -> Iterator[Tensor]:
        """Noted."""
        self._read.add(Feature.MC_DRAWS)
        return self._view.mc_draws(draws, source)

    def targets(self) -> Tensor:
        """Not a feature: labels need no declaration."""
        return self._view.targets()


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
        unlabeled=ObservedView(query.unlabeled, read),
        labeled=ObservedView(query.labeled, read),
        decode=decode,
        embed=embed,
    )
    return observed, read


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
        readers[Feature.REPRESENTATIONS] = view.representations
    return readers
