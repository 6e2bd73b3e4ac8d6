"""The features that a sampler may ask for, taken out of a fitted model: lazily, in batches, once per cycle."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from alharness.api.importing import pool
from alharness.api.outputs import require_encoded, require_predictions, require_rows
from alharness.api.rows import Rows
from alharness.api.vocabulary import FUSED, Feature, Task
from alharness.errors import Diverged, LabelLeak, ModelError, SamplerError
from alharness.guard.fingerprint import Kept, unwritten

from .batches import RepeatedBatches, batches
from .contexts import seeded
from .dropout import Quick, dropout_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from alharness.api.network import Batch
    from alharness.api.samples import Array, Inputs, Samples

    from .measure import Clock
    from .recipe import Fitted


DRAW_BATCH = 1024
"""Samples per batch under dropout, whatever the batch of inference: masks come batch by batch, and a draw must not
depend on how much memory there is."""

DRAW_MEMORY = 256 * 2**20
"""Bytes of a view's inputs, over all modalities, up to which its draws share one copy of them. Larger inputs are
read again for every draw, a batch at a time."""


class Extractor:
    """Runs one fitted model over samples, charges the time to `inference`, and knows what may be read.

    Args:
        fitted: the model.
        batch: samples per batch.
        allowed: the features that the sampler's plugin declared.
        clock: the query's clock.
        seed: makes the dropout masks of this query.

    Attributes:
        handed_out: tensors that the views gave to the sampler, and keep.
    """

    def __init__(self, fitted: Fitted, batch: int, allowed: frozenset[Feature], clock: Clock, seed: int) -> None:
        self._fitted = fitted
        self._model = fitted.model
        self._batch = batch
        self._allowed = allowed
        self._clock = clock
        self._seed = seed
        self._entries: dict[str, Tensor] = {}
        self.handed_out = Kept()

    def allows(self, feature: Feature) -> bool:
        """Whether the sampler declared this feature."""
        return feature in self._allowed

    def permit(self, feature: Feature) -> None:
        """Raise SamplerError unless the sampler declared this feature."""
        if not self.allows(feature):
            raise SamplerError(
                f"it read {feature.value}, which its plugin does not declare; add "
                f"Feature.{feature.name} to SamplerPlugin.requires"
            )

    def decode(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`Query.decode`: charged to `inference`, unless the sampler is in a phase of its own."""
        self.permit(Feature.DECODE)
        self._require_whole(z, "decode")
        if self._clock.phase == "selection":
            with self._inference():
                return self.predict(z)
        with Quick():
            return self.predict(z)

    def embed(self, z: Mapping[str, Tensor], source: str = FUSED) -> Tensor:
        """`Query.embed`."""
        self.permit(Feature.DECODE)
        self.permit(Feature.EMBEDDINGS)
        self._require_whole(z, "embed")
        return self.embeddings(z, source)

    def predict(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Source -> log-probabilities or values, from encoder outputs."""
        with self._model_at_work(z):
            outputs = self._model.decode(z)
            require_predictions(outputs, len(next(iter(z.values()))), self._model.shape)
        if self._fitted.task == Task.CLASSIFICATION:
            return {source: functional.log_softmax(o, dim=1) for source, o in outputs.items()}
        return outputs

    @torch.no_grad()
    def encode(self, inputs: Inputs, positions: NDArray[np.int64]) -> dict[str, Tensor]:
        """z of all these rows."""
        with self._inference():
            z = _joined(self._encoded(b) for b in self._rows(inputs, positions))
        self._entries.update(z)
        return z

    def vectors(self, inputs: Inputs, positions: NDArray[np.int64], modality: str) -> Tensor:
        """What the data set has of a modality of these rows, a vector each."""
        with self._inference():
            array = inputs.arrays[modality]
            if array.ndim == 2:
                found = array[positions]
            else:
                lengths, pooling = inputs.lengths.get(modality), inputs.pooling.get(modality, "mean")
                steps = None if lengths is None else lengths[positions]
                found = pool(Rows.of(array, positions), steps, pooling)
            return self.given(np.asarray(found, np.float32))

    def given(self, array: NDArray[Any]) -> Tensor:
        """An array as a tensor on the device of the model; a copy."""
        return torch.tensor(array).to(self._fitted.device)

    @torch.no_grad()
    def predictions(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Predictions of all sources."""
        with self._inference():
            return _joined(self.predict(part) for part in self._parts(z))

    @torch.no_grad()
    def embeddings(self, z: Mapping[str, Tensor], source: str) -> Tensor:
        """Inputs of the last linear layer of that source's head."""
        with self._inference(), self._caught(source) as caught:
            for part in self._parts(z):
                with self._model_at_work(part):
                    self._model.decode(part)
            return self._whole(caught, source, z)

    @torch.no_grad()
    def both(self, z: Mapping[str, Tensor], source: str) -> tuple[dict[str, Tensor], Tensor]:
        """`predictions` and the `embeddings` of one source, in one pass."""
        with self._inference(), self._caught(source) as caught:
            return self.predictions(z), self._whole(caught, source, z)

    def draw_batches(self, inputs: Inputs, positions: NDArray[np.int64]) -> Iterable[Batch]:
        """What `draw` and `draw_without_dropout` go through."""
        return RepeatedBatches(inputs, positions, DRAW_BATCH, self._fitted.device, DRAW_MEMORY)

    @torch.no_grad()
    def draw(self, rows: Iterable[Batch], number: int, source: str) -> Tensor:
        """One prediction of that source with dropout on; the masks depend on the query's seed and `number`."""
        seed, device = self._seed + number, self._fitted.device
        with self._clock.charge("inference"), dropout_on(self._model, seed), seeded(seed, device):
            return torch.cat([self.predict(self._encoded(b))[source] for b in rows])

    @torch.no_grad()
    def draw_without_dropout(self, rows: Iterable[Batch], source: str) -> Tensor:
        """What a draw gives for its first batch if the model has no dropout, bit by bit."""
        with self._inference():
            return self.predict(self._encoded(next(iter(rows))))[source]

    @contextmanager
    def _inference(self) -> Iterator[None]:
        with self._clock.charge("inference"), Quick():
            yield

    def _encoded(self, batch: Batch) -> dict[str, Tensor]:
        with self._model_at_work(batch.tensors):
            z = self._model.encode(batch)
            require_encoded(z, len(batch), self._model.shape)
        return z

    @contextmanager
    def _model_at_work(self, given: Mapping[str, Tensor]) -> Iterator[None]:
        """What the model's code raises inside is the model's, and so is a write to what it was given."""
        with self._fitted.border.blamed(), unwritten(given, ModelError, "what it was given"):
            yield

    def _whole(self, caught: list[Tensor], source: str, z: Mapping[str, Tensor]) -> Tensor:
        with self._fitted.border.blamed():
            require_rows(caught, len(next(iter(z.values()))), source)
        return torch.cat(caught)

    @contextmanager
    def _caught(self, source: str) -> Iterator[list[Tensor]]:
        """Inputs of the last linear layer of that source's head, batch by batch, caught on their way in."""
        caught: list[Tensor] = []
        with self._fitted.border.blamed():
            layer = self._model.last_layer(source)
            hook = layer.register_forward_pre_hook(lambda _, args: caught.append(args[0]))
        try:
            yield caught
        finally:
            hook.remove()

    def _require_whole(self, z: Mapping[str, Tensor], called: str) -> None:
        if missing := sorted(self._entries.keys() - z.keys()):
            raise SamplerError(
                f"it called {called} without {', '.join(missing)}; this model decodes the representations of all "
                "modalities together with the same rows of the view's context()"
            )
        rows = {name: len(value) for name, value in z.items() if isinstance(value, torch.Tensor) and value.ndim}
        wrong = [
            name
            for name, value in z.items()
            if name not in rows
            or (name in self._entries and value.shape[1:] != self._entries[name].shape[1:])
            or value.device != self._fitted.device
        ]
        if wrong or len(set(rows.values())) != 1:
            shapes = {name: tuple(getattr(value, "shape", ())) for name, value in z.items()}
            raise SamplerError(
                f"it called {called} with tensors of shapes {shapes}; give one row per sample in each, of the "
                "sizes that representations() and context() have, on query.device"
            )

    def _rows(self, inputs: Inputs, positions: NDArray[np.int64]) -> Iterator[Batch]:
        return batches(inputs, positions, self._batch, self._fitted.device)

    def _parts(self, z: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
        rows = len(next(iter(z.values())))
        for start in range(0, rows, self._batch):
            yield {name: value[start : start + self._batch] for name, value in z.items()}


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
        self._z: dict[str, Tensor] | None = None
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
            self._embeddings[source] = self._extractor.embeddings(self._encoded(), source)
        return self._given(f"embeddings of {source}", self._embeddings[source])

    def representations(self, modality: str) -> Tensor:
        """(n, d_u) encoder outputs."""
        self._extractor.permit(Feature.REPRESENTATIONS)
        self._known(modality, fused=False)
        return self._given(f"representations of {modality}", self._encoded()[modality])

    def context(self) -> dict[str, Tensor]:
        """Encoder outputs that belong to no modality."""
        self._extractor.permit(Feature.REPRESENTATIONS)
        z = self._encoded()
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

    def _encoded(self) -> dict[str, Tensor]:
        if self._z is None:
            self._z = self._extractor.encode(self._inputs, self._positions)
        return self._z

    def _predicted(self, source: str) -> dict[str, Tensor]:
        """Predictions; the first pass also takes the embeddings of `source` if the sampler declared both."""
        if self._predictions is None:
            z = self._encoded()
            if self._extractor.allows(Feature.EMBEDDINGS):
                self._predictions, self._embeddings[source] = self._extractor.both(z, source)
            else:
                self._predictions = self._extractor.predictions(z)
        return self._predictions

    def _known(self, source: str, *, fused: bool) -> None:
        names = (*self._inputs.modalities, FUSED) if fused else self._inputs.modalities
        if source not in names:
            raise SamplerError(f"it asked for {source!r}, but there are only {', '.join(names)}")


@torch.no_grad()
def predict(fitted: Fitted, inputs: Inputs, batch: int) -> NDArray[np.float32]:
    """Fused predictions, (n, C) logits or (n, 1) values, for evaluation. To be called within a crossed border.

    Raises:
        ModelError: the model raised, or broke its contract.
    """
    with fitted.border.blamed("evaluation"):
        found = []
        for rows in batches(inputs, np.arange(len(inputs)), batch, fitted.device):
            with unwritten(rows.tensors, ModelError, "what it was given"), Quick():
                outputs = fitted.model(rows)
            require_predictions(outputs, len(rows), fitted.model.shape)
            found.append(outputs[FUSED])
        result: NDArray[np.float32] = torch.cat(found).cpu().numpy()
    unusable = np.isnan(result) if fitted.task == Task.CLASSIFICATION else ~np.isfinite(result)
    if bad := int(unusable.any(axis=1).sum()):
        raise Diverged(
            f"{fitted.border.culprit}: {bad} of {len(result)} predictions of test samples are NaN or infinite "
            "after a training whose loss was finite; a smaller training.learning_rate may help"
        )
    return result


def _joined(parts: Iterator[dict[str, Tensor]]) -> dict[str, Tensor]:
    collected = list(parts)
    return {name: torch.cat([part[name] for part in collected]) for name in collected[0]}
