"""Views of tensors in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from alharness.api.vocabulary import FUSED, Feature
from alharness.errors import LabelLeak, SamplerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    Sources = Tensor | Mapping[str, Tensor]


class TensorView:
    """What a test has computed, as one side of the pool. Reading anything else raises SamplerError.

    Args:
        embeddings: source -> (n, d); a tensor alone is that of the fused source.
        representations: modality -> (n, d_u).
        predictions: source -> (n, C) log-probabilities, or (n, 1) values; or the fused one alone.
        draws: source -> (T, n, C), of which the first ones are given out; or the fused ones alone.
        targets: source -> (n,) labels; a tensor alone is that of the fused source, and of all others.
        inputs: modality -> (n, d).
        present: modality -> (n,) bool; without an entry, all samples have it.
        truth: name -> (n,) or (n, k).
        bought: (n,) cycles of the queries that bought the labels; by default all were there from the beginning.
        context: name -> (n, ...), what the model encodes in addition to the representations.
        n: number of samples, if no tensor is given.

    >>> import torch
    >>> from alharness.testing import TensorView
    >>> view = TensorView(predictions=torch.tensor([[0.9, 0.1], [0.5, 0.5]]).log())
    >>> len(view), view.ids
    (2, ('00000', '00001'))
    >>> view.predictions().exp()
    tensor([[0.9000, 0.1000],
            [0.5000, 0.5000]])
    """

    def __init__(
        self,
        *,
        embeddings: Sources | None = None,
        representations: Mapping[str, Tensor] | None = None,
        predictions: Sources | None = None,
        draws: Sources | None = None,
        targets: Sources | None = None,
        inputs: Mapping[str, Tensor] | None = None,
        present: Mapping[str, Tensor] | None = None,
        truth: Mapping[str, Tensor] | None = None,
        bought: Tensor | None = None,
        context: Mapping[str, Tensor] | None = None,
        n: int = 0,
    ) -> None:
        given = {
            Feature.EMBEDDINGS: embeddings,
            Feature.REPRESENTATIONS: representations,
            Feature.PREDICTIONS: predictions,
            Feature.MC_DRAWS: draws,
            Feature.INPUTS: inputs,
            Feature.TRUTH: truth,
        }
        self._features = {feature: _by_source(tensors) for feature, tensors in given.items()}
        self._targets = _by_source(targets)
        self._present = dict(present or {})
        self._bought = bought
        self._context = dict(context or {})
        lengths = [
            tensor.shape[feature == Feature.MC_DRAWS]
            for feature, sources in self._features.items()
            for tensor in sources.values()
        ]
        self._n = lengths[0] if lengths else n

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids in order."""
        return tuple(f"{i:05d}" for i in range(len(self)))

    def __len__(self) -> int:
        return self._n

    def embeddings(self, source: str = FUSED) -> Tensor:
        """(n, d)."""
        return self._read(Feature.EMBEDDINGS, source)

    def representations(self, modality: str) -> Tensor:
        """(n, d_u)."""
        return self._read(Feature.REPRESENTATIONS, modality)

    def context(self) -> dict[str, Tensor]:
        """What it was given, or nothing."""
        return dict(self._context)

    def predictions(self, source: str = FUSED) -> Tensor:
        """(n, C) or (n, 1)."""
        return self._read(Feature.PREDICTIONS, source)

    def mc_draws(self, draws: int, source: str = FUSED) -> Iterator[Tensor]:
        """The first `draws` of them."""
        stack = self._read(Feature.MC_DRAWS, source)
        if draws > len(stack):
            raise SamplerError(f"it asked for {draws} draws, but there are only {len(stack)}")
        yield from stack[:draws]

    def inputs(self, modality: str) -> Tensor:
        """(n, d)."""
        return self._read(Feature.INPUTS, modality)

    def present(self, modality: str) -> Tensor:
        """(n,) bool."""
        return self._present.get(modality, torch.ones(len(self), dtype=torch.bool))

    def truth(self, name: str) -> Tensor:
        """(n,) or (n, k)."""
        return self._read(Feature.TRUTH, name)

    def targets(self, source: str = FUSED) -> Tensor:
        """(n,)."""
        if not self._targets:
            raise LabelLeak("it asked for labels that it was not given")
        return self._targets[source] if source in self._targets else self._targets[FUSED]

    def bought(self) -> Tensor:
        """(n,) int64."""
        if not self._targets:
            raise SamplerError("it asked when samples were bought whose labels it was not given")
        return torch.full((len(self),), -1) if self._bought is None else self._bought

    def _read(self, feature: Feature, source: str) -> Tensor:
        sources = self._features[feature]
        if source not in sources:
            raise SamplerError(f"it read {feature.value} of {source!r}, which it was not given")
        return sources[source]


def _by_source(tensors: Sources | None) -> Mapping[str, Tensor]:
    if tensors is None:
        return {}
    return {FUSED: tensors} if isinstance(tensors, torch.Tensor) else tensors
