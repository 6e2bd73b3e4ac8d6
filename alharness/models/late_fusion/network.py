"""The `late_fusion` network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from alharness.api.layers import CLIP, Standardize, errors, stack
from alharness.api.network import Batch, MultimodalModel
from alharness.api.vocabulary import FUSED, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from alharness.api.vocabulary import ModelShape

    from .params import LateFusionParams


class LateFusion(MultimodalModel):
    """An encoder and a head (two layers each) per modality; a fused head on all z_u together.

    Inputs are standardized with mean and deviation of the labeled samples, nothing else. In regression, heads
    predict standardized targets; `decode` gives values in the units of the labels. The loss is cross-entropy,
    or the absolute error of standardized targets, with weight 1 for the fused head.

    z_u of a sample that lacks the modality is zero. Such samples count neither in the loss of that modality's head
    nor in its means and deviations.
    """

    weights: Tensor

    def __init__(self, params: LateFusionParams, shape: ModelShape) -> None:
        super().__init__(shape)
        width, count = params.representation, len(shape.modalities)
        self.sources = (*shape.modalities, FUSED)
        self.register_buffer("weights", torch.tensor([*[params.unimodal_weight] * count, 1.0]), persistent=False)
        # Lists in the shape's order: a modality's name may be no valid name of a submodule.
        self.scales = nn.ModuleList(Standardize(d) for d in shape.features.values())
        self.encoders = nn.ModuleList(_encoder(d, params) for d in shape.features.values())
        self.heads = nn.ModuleList(_Head(width, width, shape.outputs, params.dropout) for _ in range(count))
        self.fused = _Head(width * count, params.fusion, shape.outputs, params.dropout)
        self.target = Standardize(1)

    def adapt(self, labeled: Batch) -> None:
        """Take means and deviations from the labeled samples."""
        for scale, modality in zip(self.scales, self.shape.modalities, strict=True):
            assert isinstance(scale, Standardize)
            known = labeled.inputs[modality]
            if modality in labeled.present:
                known = known[labeled.present[modality]]
            if len(known):
                scale.adapt(known)
        if self.shape.task == Task.REGRESSION:
            self.target.adapt(labeled.labels[FUSED][:, None])

    def prepare(self, samples: Batch) -> Batch:
        """Standardized inputs and targets."""
        inputs = dict(zip(self.shape.modalities, self._standardized(samples), strict=True))
        labels = samples.labels
        if self.shape.task == Task.REGRESSION:
            labels = {source: self.target(y) for source, y in labels.items()}  # its one column is that of all
        return replace(samples, inputs=inputs, labels=labels)

    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> z_u, (b, representation)."""
        return self._encode(self._standardized(batch), batch.present)

    def decode(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Source -> logits, or values in the units of the labels."""
        outputs = self._outputs(z)
        if self.shape.task == Task.REGRESSION:
            return {source: self.target.restore(o) for source, o in outputs.items()}
        return outputs

    def last_layer(self, source: str) -> nn.Linear:
        """The last layer of that source's head."""
        head = self.fused if source == FUSED else self.heads[self.shape.modalities.index(source)]
        assert isinstance(head, _Head)
        return head.output

    def loss(self, batch: Batch) -> Tensor:
        """Weighted sum of the fused and the unimodal losses."""
        outputs = self._outputs(self._encode([batch.inputs[m] for m in self.shape.modalities], batch.present))
        labels = stack(batch.labels, self.sources)
        found = errors(stack(outputs, self.sources), labels, self.shape.task)
        if not batch.present:
            return self.weights @ found.mean(1)
        everywhere = torch.ones_like(found[0], dtype=torch.bool)
        counted = stack({source: batch.present.get(source, everywhere) for source in self.sources}, self.sources)
        return self.weights @ ((found * counted).sum(1) / counted.sum(1).clamp(min=1))

    def _encode(self, inputs: Sequence[Tensor], present: Mapping[str, Tensor]) -> dict[str, Tensor]:
        parts = zip(self.shape.modalities, self.encoders, inputs, strict=True)
        z: dict[str, Tensor] = {modality: encoder(x) for modality, encoder, x in parts}
        return z | {modality: torch.where(known[:, None], z[modality], 0) for modality, known in present.items()}

    def _outputs(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Source -> logits, or standardized values."""
        pairs = zip(self.shape.modalities, self.heads, strict=True)
        outputs: dict[str, Tensor] = {modality: head(z[modality]) for modality, head in pairs}
        return outputs | {FUSED: self.fused(torch.cat([z[m] for m in self.shape.modalities], dim=1))}

    def _standardized(self, batch: Batch) -> list[Tensor]:
        """Inputs in the order of the shape's modalities."""
        pairs = zip(self.scales, self.shape.modalities, strict=True)
        return [scale(batch.inputs[m]).clamp(-CLIP, CLIP) for scale, m in pairs]


def _encoder(inputs: int, params: LateFusionParams) -> nn.Sequential:
    """Of a modality: (b, d_u), standardized -> z_u, (b, representation)."""
    return nn.Sequential(
        nn.Linear(inputs, params.hidden),
        nn.ReLU(),
        nn.Dropout(params.dropout),
        nn.Linear(params.hidden, params.representation),
        nn.ReLU(),
    )


class _Head(nn.Module):
    """The hidden layer between z_u and the output lets gradients at z_u differ in direction."""

    def __init__(self, inputs: int, hidden: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(inputs, hidden)
        self.output = nn.Linear(hidden, outputs)

    def forward(self, z: Tensor) -> Tensor:
        output: Tensor = self.output(functional.relu(self.hidden(self.dropout(z))))
        return output
