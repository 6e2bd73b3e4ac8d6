"""A task model whose arithmetic is exact, so that scenarios differ by what a test changes and by nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import nn

from alharness.api.network import MultimodalModel
from alharness.api.vocabulary import FUSED, ModelShape, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from alharness.api.network import Batch

Heads = Literal["plain", "blind", "certain"]

INPUTS = {"audio": 6, "text": 9, "vision": 5}
"""Modality -> size of an input."""
REPRESENTATIONS = {"audio": 5, "text": 7, "vision": 4}
"""Modality -> d_u."""
EMBEDDINGS = {"audio": 5, "text": 4, "vision": 6, FUSED: 7}
"""Source -> size of the input of its last layer."""
CLASSES = 4


class ExactNetwork(MultimodalModel):
    """Encoders, a head per modality and a fused head, with fixed weights.

    Inputs are multiples of 1/8 and all weights of a few binary digits, so that everything up to the outputs of the
    heads is exact in float32: no result depends on how rows are batched or ordered, and an offset of the features
    changes no prediction by a single bit. Dropout, at 1/2, doubles what it keeps, which is exact too.

    Args:
        task: classification with four classes, or regression.
        heads: `plain`; `blind`, which see nothing of z, so that all gradients are zero; `certain`, whose outputs
            are so far apart that float32 probabilities are 0 and 1.
        offset: added to every representation and every embedding.
        dropout: whether there is any.

    >>> from alharness import Task
    >>> from alharness.testing import ExactNetwork
    >>> ExactNetwork(Task.CLASSIFICATION).shape.modalities
    ('audio', 'text', 'vision')
    """

    def __init__(self, task: Task, *, heads: Heads = "plain", offset: float = 0.0, dropout: bool = True) -> None:
        classes = CLASSES if task == Task.CLASSIFICATION else 1
        super().__init__(ModelShape(features=INPUTS, task=task, outputs=classes))
        rng = np.random.default_rng(0)
        self.offset = offset
        self.dropout = nn.Dropout(0.5 if dropout else 0.0)
        self.encoders = nn.ModuleDict(
            {m: _FixedLinear(rng, INPUTS[m], size, 1, 1 / 2) for m, size in REPRESENTATIONS.items()}
        )
        widths = {**REPRESENTATIONS, FUSED: sum(REPRESENTATIONS.values())}
        self.hidden = nn.ModuleDict(
            {s: _FixedLinear(rng, widths[s], size, 2, 1 / 4) for s, size in EMBEDDINGS.items()}
        )
        self.outputs = nn.ModuleDict(
            {s: _FixedLinear(rng, size, classes, 2, 1 / 16, offset) for s, size in EMBEDDINGS.items()}
        )
        if heads == "blind":
            _scale(self.hidden, 0)
        if heads == "certain":
            _scale(self.outputs, 2**20)

    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Linear in the inputs; rows that are not finite have representations that are not either.

        Of a modality that is absent, z_u is the offset alone.
        """
        z = {m: self._encoded(m, x) for m, x in batch.inputs.items()}
        return z | {m: z[m].where(known[:, None], self.offset) for m, known in batch.present.items()}

    def _encoded(self, modality: str, x: Tensor) -> Tensor:
        z: Tensor = self.encoders[modality](self.dropout(x)) + self.offset
        # NaN or infinite in every coordinate: a weight of 0 times infinity would make NaN of infinity.
        return z.where(x.isfinite().all(1, keepdim=True), x.sum(1, keepdim=True))

    def decode(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`u * |u|` with u linear in z, and a linear layer: smooth enough for gradients, and exact."""
        inputs = {m: z[m] - self.offset for m in REPRESENTATIONS}
        inputs[FUSED] = torch.cat(list(inputs.values()), 1)
        outputs = {}
        for source, x in inputs.items():
            u = self.hidden[source](x)
            outputs[source] = self.outputs[source](self.dropout(u * u.abs()) + self.offset)
        return outputs

    def last_layer(self, source: str) -> nn.Linear:
        """Takes the offset off again."""
        layer = self.outputs[source]
        assert isinstance(layer, nn.Linear)
        return layer

    def loss(self, batch: Batch) -> Tensor:  # noqa: ARG002 - the contract has it
        """Raises TypeError: the weights are fixed, and exact only as they are."""
        raise TypeError("the kit's network has fixed weights and cannot be trained; make a model of your own")


def _scale(layers: nn.ModuleDict, factor: float) -> None:
    for layer in layers.values():
        assert isinstance(layer, nn.Linear)
        layer.weight.data.mul_(factor)


class _FixedLinear(nn.Linear):
    """Weights of up to so many steps, biases at odd multiples of half a step; the offset is taken off first."""

    def __init__(
        self, rng: np.random.Generator, inputs: int, outputs: int, steps: int, step: float, offset: float = 0.0
    ) -> None:
        super().__init__(inputs, outputs)
        self.offset = offset
        weight = rng.integers(-steps, steps + 1, (outputs, inputs)) * step
        bias = (rng.integers(-2, 2, outputs) + 0.5) * step
        self.weight.data, self.bias.data = (torch.from_numpy(x.astype(np.float32)) for x in (weight, bias))

    def reset_parameters(self) -> None:
        """Draw nothing: what the layers of torch begin with would be overwritten."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x - self.offset)
