"""What a sampler sees of one side of the pool; each feature is computed when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from alharness.api.vocabulary import FUSED, Feature
from alharness.errors import LabelLeak, SamplerError

from .extraction import DRAW_BATCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from alharness.api.samples import Array, Inputs, Samples

    from .extraction import Extractor


@dataclass(frozen=True, kw_only=True, eq=False)
class Bought:
    """What is known of samples since their labels were bought.

    Attributes:
        samples: with their labels.
        cycles: (n,) int64, of the query that bought each, -1 for the initial pool; None if that is not known.
    """

    samples: Samples
    cycles: NDArray[np.int64] | None = None


class ModelView:
    """One side of the pool; see `alharness.api.sampler.View`.

    Args:
        extractor: computes the features.
        inputs: of all samples.
        positions: of the samples of this side.
        bought: the same samples with their labels; None for the unlabeled side.
        truth: name -> what is known of all samples.
    """

    def __init__(
        self,
        extractor: Extractor,
        inputs: Inputs,
        positions: NDArray[np.int64],
        bought: Bought | None = None,
        truth: Mapping[str, Array] | None = None,
    ) -> None:
        self._extractor = extractor
        self._inputs = inputs
        self._positions = positions
        self._bought = bought
        self._truth = truth or {}
        self._z = extractor.encode(inputs, positions)
        self._predictions: dict[str, Tensor] | None = None
        self._embeddings: dict[str, Tensor] = {}
        self._found: dict[str, Tensor] = {}

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids in canonical order."""
        return tuple(self._inputs.ids[i] for i in self._positions)

    def __len__(self) -> int:
        return len(self._positions)

    def embeddings(self, source: str = FUSED) -> Tensor:
        """(n, d) inputs of the last linear layer of that source's head."""
        self._extractor.permit(Feature.EMBEDDINGS)
        self._known(source, fused=True)
        if self._extractor.allows(Feature.PREDICTIONS):
            self._predicted(source)
        if source not in self._embeddings:
            self._embeddings[source] = self._extractor.embeddings(self._z, len(self), source)
        return self._given(f"embeddings of {source}", self._embeddings[source])

    def representations(self, modality: str) -> Tensor:
        """(n, d_u) encoder outputs."""
        self._extractor.permit(Feature.REPRESENTATIONS)
        self._known(modality, fused=False)
        return self._given(f"representations of {modality}", self._extractor.whole(self._z)[modality])

    def context(self) -> dict[str, Tensor]:
        """Encoder outputs that belong to no modality."""
        self._extractor.permit(Feature.REPRESENTATIONS)
        z = self._extractor.whole(self._z)
        return {name: self._given(name, z[name]) for name in z if name not in self._inputs.modalities}

    def predictions(self, source: str = FUSED) -> Tensor:
        """(n, C) log-probabilities or (n, 1) values."""
        self._extractor.permit(Feature.PREDICTIONS)
        self._known(source, fused=True)
        return self._given(f"predictions of {source}", self._predicted(source)[source])

    def mc_draws(self, draws: int, source: str = FUSED) -> Iterator[Tensor]:
        """Predictions under dropout, one at a time."""
        self._extractor.permit(Feature.MC_DRAWS)
        self._known(source, fused=True)
        rows = self._extractor.draw_batches(self._inputs, self._positions)
        for number in range(draws):
            draw = self._extractor.draw(rows, number, source)
            if (
                number == 0
                and len(draw)
                and torch.equal(draw[:DRAW_BATCH], self._extractor.draw_without_dropout(rows, source))
            ):
                raise SamplerError(
                    "the model has no active dropout, so that every draw is the same; "
                    "set a dropout above 0 in model.params, or choose a sampler that needs none"
                )
            yield draw

    def inputs(self, modality: str) -> Tensor:
        """(n, d) of the data set, a vector per sample."""
        self._extractor.permit(Feature.INPUTS)
        self._known(modality, fused=False)
        name = f"inputs of {modality}"
        if name not in self._found:
            self._found[name] = self._extractor.vectors(self._inputs, self._positions, modality)
        return self._given(name, self._found[name])

    def present(self, modality: str) -> Tensor:
        """(n,) bool."""
        self._known(modality, fused=False)
        everywhere = np.ones(len(self._inputs), bool)
        return self._array(
            f"present of {modality}", self._inputs.present.get(modality, everywhere)[self._positions]
        )

    def truth(self, name: str) -> Tensor:
        """(n,) or (n, k) what is known of made-up data."""
        self._extractor.permit(Feature.TRUTH)
        if name not in self._truth:
            raise SamplerError(
                f"it asked for the truth {name!r}, but the data set knows {', '.join(self._truth) or 'none'}"
            )
        return self._array(f"truth of {name}", self._truth[name][self._positions])

    def targets(self, source: str = FUSED) -> Tensor:
        """Labels of the labeled side."""
        if self._bought is None:
            raise LabelLeak("it asked for labels of unlabeled samples, which were not bought yet")
        self._known(source, fused=True)
        samples = self._bought.samples
        return self._array(f"labels of {source}", samples.unimodal_labels.get(source, samples.labels))

    def bought(self) -> Tensor:
        """Cycles of the queries that bought the labels of the labeled side."""
        if self._bought is None:
            raise SamplerError("it asked when unlabeled samples were bought, and they were not yet")
        if self._bought.cycles is None:
            raise SamplerError("it asked when samples were bought, which is not known here")
        return self._array("cycles of the queries", self._bought.cycles)

    def _array(self, name: str, array: Array) -> Tensor:
        """An array as a tensor that is handed out, the same one each time."""
        if name not in self._found:
            self._found[name] = self._extractor.given(array)
        return self._given(name, self._found[name])

    def _given(self, name: str, tensor: Tensor) -> Tensor:
        side = "unlabeled" if self._bought is None else "labeled"
        return self._extractor.handed_out.add(f"{name}, {side}", tensor)

    def _predicted(self, source: str) -> dict[str, Tensor]:
        """Predictions; the first pass also takes the embeddings of `source` if the sampler declared both."""
        if self._predictions is None:
            if self._extractor.allows(Feature.EMBEDDINGS):
                self._predictions, self._embeddings[source] = self._extractor.both(self._z, source)
            else:
                self._predictions = self._extractor.predictions(self._z)
        return self._predictions

    def _known(self, source: str, *, fused: bool) -> None:
        names = (*self._inputs.modalities, FUSED) if fused else self._inputs.modalities
        if source not in names:
            raise SamplerError(f"it asked for {source!r}, but there are only {', '.join(names)}")
