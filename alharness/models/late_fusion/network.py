"""The `late_fusion` network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from alharness.api.layers import Standardize, errors, stack
from alharness.api.network import Batch, MultimodalModel
from alharness.api.vocabulary import FUSED, Task

from .parallel import ParallelLinear

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from alharness.api.vocabulary import ModelShape

    from .params import LateFusionParams

CLIP = 8.0
"""Standardized inputs are clipped here: a column that was nearly constant among few labels may explode later."""


class LateFusion(MultimodalModel):
    """An encoder and a head (two layers each) per modality; a fused head on all z_u together.

    Inputs are standardized with mean and deviation of the labeled samples, nothing else. In regression, heads
    predict standardized targets; `decode` gives values in the units of the labels. The loss is cross-entropy,
    or the absolute error of standardized targets, with weight 1 for the fused head.
    """

    weights: Tensor

    def __init__(self, params: LateFusionParams, shape: ModelShape) -> None:
        super().__init__(shape)
        width, count = params.representation, len(shape.modalities)
        self.sources = (*shape.modalities, FUSED)
        self.register_buffer("weights", torch.tensor([*[params.unimodal_weight] * count, 1.0]), persistent=False)
        # Lists in the shape's order: a modality's name may be no valid name of a submodule.
        self.scales = nn.ModuleList(Standardize(d) for d in shape.features.values())
        self.encoders = _Encoders(list(shape.features.values()), params)
        self.heads = _Heads(count, width, shape.outputs, params.dropout)
        self.fused = _Head(width * count, params.fusion, shape.outputs, params.dropout)
        self.target = Standardize(1)

    def adapt(self, labeled: Batch) -> None:
        """Take means and deviations from the labeled samples."""
        for scale, modality in zip(self.scales, self.shape.modalities, strict=True):
            assert isinstance(scale, Standardize)
            scale.adapt(labeled.inputs[modality])
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
        return dict(zip(self.shape.modalities, self.encoders(self._standardized(batch)), strict=True))

    def decode(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Source -> logits, or values in the units of the labels."""
        # Not stacked: samplers ask for gradients of one source after another, and each would go through them all.
        outputs = {m: self.heads.one(i, z[m]) for i, m in enumerate(self.shape.modalities)}
        outputs[FUSED] = self.fused(torch.cat([z[m] for m in self.shape.modalities], dim=1))
        if self.shape.task == Task.REGRESSION:
            return {source: self.target.restore(o) for source, o in outputs.items()}
        return outputs

    def last_layer(self, source: str) -> nn.Linear:
        """The last layer of that source's head."""
        if source == FUSED:
            return self.fused.output
        layer = self.heads.outputs[self.shape.modalities.index(source)]
        assert isinstance(layer, nn.Linear)
        return layer

    def loss(self, batch: Batch) -> Tensor:
        """Weighted sum of the fused and the unimodal losses."""
        z = self.encoders(self._inputs(batch))
        outputs = torch.stack([*self.heads(z), self.fused(z.transpose(0, 1).flatten(1))])
        return self._loss(outputs, stack(batch.labels, self.sources))

    def _loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        return self.weights @ errors(outputs, labels, self.shape.task).mean(1)

    def _inputs(self, batch: Batch) -> list[Tensor]:
        return [batch.inputs[m] for m in self.shape.modalities]

    def _standardized(self, batch: Batch) -> list[Tensor]:
        """Inputs in the order of the shape's modalities."""
        pairs = zip(self.scales, self.shape.modalities, strict=True)
        return [scale(batch.inputs[m]).clamp(-CLIP, CLIP) for scale, m in pairs]


class _Encoders(nn.Module):
    """Of all modalities: layers of different sizes one by one, the others at once on stacked tensors."""

    def __init__(self, inputs: Sequence[int], params: LateFusionParams) -> None:
        super().__init__()
        self.first = nn.ModuleList(nn.Linear(d, params.hidden) for d in inputs)
        self.dropout = nn.Dropout(params.dropout)
        self.second = ParallelLinear(len(inputs), params.hidden, params.representation)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Standardized, by modality (b, d_u) -> (modalities, b, representation)."""
        hidden = torch.stack([first(x) for first, x in zip(self.first, inputs, strict=True)])
        z: Tensor = self.second(self.dropout(hidden.relu())).relu()
        return z


class _Heads(nn.Module):
    """Of all modalities: `_Head` on the z_u of each, hidden layers at once.

    Outputs are layers of their own, since each is some source's `last_layer`.
    """

    def __init__(self, count: int, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.hidden = ParallelLinear(count, width, width)
        self.outputs = nn.ModuleList(nn.Linear(width, outputs) for _ in range(count))

    def forward(self, z: Tensor) -> list[Tensor]:
        """(modalities, b, representation) -> by modality (b, outputs)."""
        hidden = self.hidden(self.dropout(z)).relu()
        return [output(x) for output, x in zip(self.outputs, hidden, strict=True)]

    def one(self, index: int, z: Tensor) -> Tensor:
        """The head at that index alone: (b, representation) -> (b, outputs)."""
        output: Tensor = self.outputs[index](self.hidden.one(index, self.dropout(z)).relu())
        return output


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
