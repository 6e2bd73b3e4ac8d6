"""The `lfmim` network."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from alharness import FUSED, Batch, MultimodalModel, RunError, Task
from alharness.api.layers import Standardize, errors, stack
from alharness.kernels.optimizers import SGD, AdamW

from .blocks import Block, Embedding, Placement
from .plugin import CONTEXT
from .pooling import WeightedSum

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    from alharness import ModelShape

    from .plugin import LfmimParams

TOKENS = 4
"""Learned tokens of the fusion stream."""
PART = 128
"""Samples encoded at once without gradients: the memory of attention grows with the square of the steps."""


class Lfmim(MultimodalModel):
    """LFMIM (Sun et al., ACL 2023): one stream of transformer blocks per modality, and a fusion stream M.

    M begins with tokens of its own and the embedded steps of all modalities. Before each further layer the part of
    a modality becomes a·(M's own) + b·(the modality's stream so far), with learned a and b. Nothing flows back
    from M, but its loss reaches all streams. z_u is a modality's stream, pooled; M itself, pooled, is `context`.

    Raises:
        RunError: the parameters speak of a modality that the data set does not have, or a modality has the name
            `context`.
    """

    def __init__(self, params: LfmimParams, shape: ModelShape) -> None:
        super().__init__(shape)
        self.params = params
        if mistake := params.mistake(shape.modalities):
            raise RunError(mistake)
        sizes = params.architecture
        width, modalities = sizes.width, shape.modalities
        lengths = [_length(m, params, shape) for m in modalities]
        # Lists in the shape's order: a modality's name may be no valid name of a submodule.
        self.embeddings = nn.ModuleList(
            Embedding(d, length, params) for d, length in zip(shape.features.values(), lengths, strict=True)
        )
        self.streams = nn.ModuleList(
            _stream(params, sizes.vision_blocks if m == "vision" else 1) for m in modalities
        )
        self.pools = nn.ModuleList(WeightedSum(1 + length, width) for length in lengths)
        self.heads = nn.ModuleList(_mlp(width, width // 2, 32, shape.outputs) for _ in modalities)
        self.tokens = nn.Parameter(width**-0.5 * torch.randn(TOKENS, width))
        self.place = Placement(TOKENS, width, params.embedding_dropout)
        self.shares = nn.Parameter(torch.randn(len(modalities), 2))
        self.fusion_stream = _stream(params, 1)
        self.fusion_pool = WeightedSum(TOKENS + len(lengths) + sum(lengths), width)
        joined = (len(modalities) + 1) * width
        self.fused = _mlp(joined, joined // 2, 128, 64, shape.outputs)
        self.target = Standardize(1)

    def adapt(self, labeled: Batch) -> None:
        """Take means and deviations of inputs, and of targets in regression, from the labeled samples."""
        for part, embedding in self._by_modality(self.embeddings):
            assert isinstance(embedding, Embedding)
            embedding.adapt(labeled.inputs[part], labeled.lengths.get(part))
        if self.shape.task == Task.REGRESSION:
            self.target.adapt(labeled.labels[FUSED][:, None])

    def prepare(self, samples: Batch) -> Batch:
        """Sequences brought to the steps of this network, which costs more than a step of training."""
        inputs, lengths = {}, {}
        for modality, embedding in self._by_modality(self.embeddings):
            assert isinstance(embedding, Embedding)
            inputs[modality], valid = embedding.pooled(samples.inputs[modality], samples.lengths.get(modality))
            lengths[modality] = valid.sum(1)
        return replace(samples, inputs=inputs, lengths=lengths)

    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> z_u, (b, width), and `context`, (b, width)."""
        if torch.is_grad_enabled():
            return self._encode(batch)
        parts = [self._encode(part) for part in batch.parts(PART)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def decode(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Source -> logits, or values in the units of the labels."""
        outputs = self._outputs(z)
        if self.shape.task == Task.REGRESSION:
            return {source: self.target.restore(o) for source, o in outputs.items()}
        return outputs

    def last_layer(self, source: str) -> nn.Linear:
        """The last layer of that source's head."""
        head = self.fused if source == FUSED else self.heads[self.shape.modalities.index(source)]
        assert isinstance(head, nn.Sequential)
        layer = head[-1]
        assert isinstance(layer, nn.Linear)
        return layer

    def loss(self, batch: Batch) -> Tensor:
        """The sum of the losses of all heads: cross-entropies, or absolute errors of standardized targets."""
        outputs = self._outputs(self.encode(batch))
        labels = stack(batch.labels, outputs)
        if self.shape.task == Task.REGRESSION:
            labels = self.target(labels[..., None]).squeeze(-1)
        return errors(stack(outputs, outputs), labels, self.shape.task).mean(1).sum()

    def optimizer(self) -> Optimizer:
        """SGD with step 0.005, as published, or AdamW with step 1e-4 and decay 0.01."""
        if self.params.architecture.optimizer == "sgd":
            return SGD(self.parameters(), lr=5e-3, fused=True)
        return AdamW(self.parameters(), lr=1e-4, weight_decay=1e-2, fused=True)

    def schedule(self, optimizer: Optimizer) -> LRScheduler | None:
        """SGD's step is divided by the number of the epoch."""
        if self.params.architecture.optimizer == "sgd":
            return LambdaLR(optimizer, lambda epoch: 1 / (epoch + 1))
        return None

    def _encode(self, batch: Batch) -> dict[str, Tensor]:
        x = {m: embed(batch.inputs[m], batch.lengths.get(m)) for m, embed in self._by_modality(self.embeddings)}
        order = _fusion_order(self.shape.modalities)
        own = self.place(self.tokens.expand(len(batch), -1, -1))
        seen = [x[m] for m in order]
        widths = [part.shape[1] for part in seen]
        for layer, fuse in enumerate(self.fusion_stream):
            if layer > 0:
                shares = dict(zip(self.shape.modalities, self.shares, strict=True))
                pairs = zip(order, seen, strict=True)
                seen = [shares[m][0] * part + shares[m][1] * x[m] for m, part in pairs]
            own, *seen = fuse(torch.cat([own, *seen], dim=1)).split([TOKENS, *widths], dim=1)
            x = {m: stream[layer](x[m]) for m, stream in self._by_modality(self.streams)}  # type: ignore[index]
        z: dict[str, Tensor] = {m: pool(x[m]) for m, pool in self._by_modality(self.pools)}
        return z | {CONTEXT: self.fusion_pool(torch.cat([own, *seen], dim=1))}

    def _outputs(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = {m: head(z[m]) for m, head in self._by_modality(self.heads)}
        outputs[FUSED] = self.fused(torch.cat([z[name] for name in (*self.shape.modalities, CONTEXT)], dim=1))
        return outputs

    def _by_modality(self, modules: nn.ModuleList) -> Iterator[tuple[str, nn.Module]]:
        return zip(self.shape.modalities, modules, strict=True)


def _stream(params: LfmimParams, blocks: int) -> nn.ModuleList:
    """The layers of a stream."""
    layers = params.architecture.layers
    return nn.ModuleList(
        nn.Sequential(*(Block(params, layers * blocks) for _ in range(blocks))) for _ in range(layers)
    )


def _mlp(*widths: int) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _length(modality: str, params: LfmimParams, shape: ModelShape) -> int:
    """Steps of a modality behind pooling: no more than the data set has."""
    lengths = params.architecture.lengths
    return min(lengths.get(modality, lengths["vision"]), shape.steps.get(modality, 1))


def _fusion_order(modalities: tuple[str, ...]) -> list[str]:
    """Text, vision, audio, as published, then the others."""
    published = [m for m in ("text", "vision", "audio") if m in modalities]
    return published + [m for m in modalities if m not in published]
