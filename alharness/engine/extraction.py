"""What is taken out of a fitted model, in batches: the features that a sampler may ask for, and predictions."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from alharness.api.importing import pool
from alharness.api.outputs import require_encoded, require_predictions, require_rows
from alharness.api.rows import PIECE, Rows
from alharness.api.vocabulary import FUSED, Feature, Task
from alharness.errors import Diverged, ModelError, SamplerError
from alharness.guard.fingerprint import Kept, unwritten

from .batches import RepeatedBatches, batches
from .contexts import seeded
from .dropout import Quick, dropout_on
from .encoding import Encoding
from .gathering import Gathered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from alharness.api.network import Batch
    from alharness.api.samples import Inputs

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
        self._decoding = False
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
        return self.embeddings(self._parts(z), _length(z), source)

    def predict(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Source -> log-probabilities or values, from encoder outputs."""
        with self._model_at_work(z):
            outputs = self._decoded(z)
            require_predictions(outputs, len(next(iter(z.values()))), self._model.shape)
        if self._fitted.task == Task.CLASSIFICATION:
            return {source: functional.log_softmax(o, dim=1) for source, o in outputs.items()}
        return outputs

    def encode(self, inputs: Inputs, positions: NDArray[np.int64]) -> Encoding:
        """z of all these rows, computed when they are gone through."""

        def encode() -> Iterator[dict[str, Tensor]]:
            return map(self._encoded, batches(inputs, positions, self._batch, self._fitted.device))

        return Encoding(encode, len(positions), self._batch, keep=self.allows(Feature.REPRESENTATIONS))

    @torch.no_grad()
    def whole(self, z: Encoding) -> dict[str, Tensor]:
        """All rows, for who may read them."""
        with self._inference():
            self._entries.update(z.whole)
        return z.whole

    def vectors(self, inputs: Inputs, positions: NDArray[np.int64], modality: str) -> Tensor:
        """What the data set has of a modality of these rows, a vector each."""
        with self._inference():
            array, found = inputs.arrays[modality], Gathered(len(positions))
            lengths, pooling = inputs.lengths.get(modality), inputs.pooling.get(modality, "mean")
            step = max(1, PIECE // math.prod(array.shape[1:]))
            for start in range(0, max(1, len(positions)), step):
                rows = positions[start : start + step]
                if array.ndim == 2:
                    piece = array[rows]
                else:
                    piece = pool(Rows.of(array, rows), None if lengths is None else lengths[rows], pooling)
                found.add(torch.from_numpy(np.asarray(piece, np.float32)).to(self._fitted.device))
            return found.whole

    def given(self, array: NDArray[Any]) -> Tensor:
        """An array as a tensor on the device of the model; a copy."""
        return torch.tensor(array).to(self._fitted.device)

    @torch.no_grad()
    def predictions(self, z: Encoding) -> dict[str, Tensor]:
        """Predictions of all sources."""
        found: dict[str, Gathered] = {}
        with self._inference():
            for part in z:
                for source, predicted in self.predict(part).items():
                    found.setdefault(source, Gathered(len(z))).add(predicted)
        return {source: gathered.whole for source, gathered in found.items()}

    @torch.no_grad()
    def embeddings(self, z: Iterable[Mapping[str, Tensor]], rows: int, source: str) -> Tensor:
        """Inputs of the last linear layer of that source's head, of so many rows in all."""
        with self._inference(), self._caught(source, rows) as caught:
            for part in z:
                with self._model_at_work(part):
                    self._decoded(part)
        return caught.whole

    @torch.no_grad()
    def both(self, z: Encoding, source: str) -> tuple[dict[str, Tensor], Tensor]:
        """`predictions` and the `embeddings` of one source, in one pass."""
        with self._inference(), self._caught(source, len(z)) as caught:
            predictions = self.predictions(z)
        return predictions, caught.whole

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

    def _decoded(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        self._decoding = True
        try:
            return self._model.decode(z)
        finally:
            self._decoding = False

    @contextmanager
    def _model_at_work(self, given: Mapping[str, Tensor]) -> Iterator[None]:
        """What the model's code raises inside is the model's, and so is a write to what it was given."""
        with self._fitted.border.blamed(), unwritten(given, ModelError, "what it was given"):
            yield

    @contextmanager
    def _caught(self, source: str, rows: int) -> Iterator[Gathered]:
        """Inputs of the last linear layer of that source's head, so many in all, caught on their way in."""
        caught, kinds, found = Gathered(rows), dict[Any, Any](), 0

        def catch(_: Any, given: tuple[Any, ...]) -> None:
            nonlocal found
            if not self._decoding:  # a network in one piece runs its head to encode
                return
            part = given[0]
            whole = isinstance(part, torch.Tensor) and part.ndim > 0
            found += len(part) if whole else 0
            # One of each kind: thousands of small tensors between large ones would leave holes in the memory.
            kind = (part.dtype, part.shape[1:]) if whole else type(part)
            if kind not in kinds:
                kinds[kind] = part.to("meta") if isinstance(part, torch.Tensor) else part
            if whole and part.ndim == 2 and len(part) <= caught.left:
                caught.add(part)

        with self._fitted.border.blamed():
            hook = self._model.last_layer(source).register_forward_pre_hook(catch)
        try:
            yield caught
        finally:
            hook.remove()
        with self._fitted.border.blamed():
            require_rows([*kinds.values()], found, rows, source)

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

    def _parts(self, z: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
        for start in range(0, _length(z), self._batch):
            yield {name: value[start : start + self._batch] for name, value in z.items()}


@torch.no_grad()
def predict(fitted: Fitted, inputs: Inputs, batch: int) -> NDArray[np.float32]:
    """Fused predictions, (n, C) logits or (n, 1) values, for evaluation. To be called within a crossed border.

    Raises:
        ModelError: the model raised, or broke its contract.
    """
    with fitted.border.blamed("evaluation"):
        found = Gathered(len(inputs))
        for rows in batches(inputs, np.arange(len(inputs)), batch, fitted.device):
            with unwritten(rows.tensors, ModelError, "what it was given"), Quick():
                outputs = fitted.model(rows)
            require_predictions(outputs, len(rows), fitted.model.shape)
            found.add(outputs[FUSED])
        result: NDArray[np.float32] = found.whole.cpu().numpy()
    unusable = np.isnan(result) if fitted.task == Task.CLASSIFICATION else ~np.isfinite(result)
    if bad := int(unusable.any(axis=1).sum()):
        raise Diverged(
            f"{fitted.border.culprit}: {bad} of {len(result)} predictions of test samples are NaN or infinite "
            "after a training whose loss was finite; a smaller training.learning_rate may help"
        )
    return result


def _length(z: Mapping[str, Tensor]) -> int:
    return len(next(iter(z.values())))
