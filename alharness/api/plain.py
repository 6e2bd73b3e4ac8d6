"""A network of PyTorch that knows nothing of alharness, as a model."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.nn import functional

from alharness.errors import ModelError

from .model import ModelPlugin
from .network import MultimodalModel
from .params import Params
from .vocabulary import FUSED, Feature, ModelShape, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from .network import Batch

PROVIDES = frozenset({Feature.PREDICTIONS, Feature.EMBEDDINGS, Feature.MC_DRAWS})
"""Its representations are those of no modality, so that there is nothing to decode."""


class Plain(MultimodalModel):
    """A network that ends in a linear layer, of a value for each class, or of one number.

    It begins each training with the weights that it was given with. What follows its last linear layer, such as a
    softmax, is left out: `loss` and samplers need what comes out of that layer.

    >>> from torch import nn
    >>> from alharness import ModelShape, Task
    >>> from alharness.api.plain import Plain
    >>> shape = ModelShape(features={"text": 4}, task=Task.CLASSIFICATION, outputs=2)
    >>> Plain(shape, nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))).last_layer("text").in_features
    8

    Args:
        shape: what it is built for.
        network: takes a batch of vectors (b, d), or a mapping of modalities to these if there are several.

    Raises:
        ModelError: it has no linear layer, or the last one has another number of outputs.

    >>> from torch import nn
    >>> from alharness import ModelShape, Task
    >>> from alharness.api.plain import Plain
    >>> shape = ModelShape(features={"text": 4}, task=Task.CLASSIFICATION, outputs=2)
    >>> Plain(shape, nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))).last_layer("fused")
    Linear(in_features=8, out_features=2, bias=True)
    """

    def __init__(self, shape: ModelShape, network: nn.Module) -> None:
        super().__init__(shape)
        self.network = copy.deepcopy(network).float()
        names = [name for name, layer in self.network.named_modules() if isinstance(layer, nn.Linear)]
        if not names:
            raise ModelError("the network has no linear layer; let it end in nn.Linear(..., number of classes)")
        self._last = names[-1]
        if (found := self.last_layer(FUSED).out_features) != shape.outputs:
            what = f"{shape.outputs} classes" if shape.task == Task.CLASSIFICATION else "one number"
            raise ModelError(
                f"the network ends in a linear layer of {found} outputs, and {what} must come out of it"
            )

    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> the input of the last linear layer, the same for each."""
        caught: list[Tensor] = []
        inputs = batch.inputs
        given: Any = dict(inputs) if len(inputs) > 1 else next(iter(inputs.values()))
        hook = self.last_layer(FUSED).register_forward_pre_hook(lambda _, args: caught.append(args[0]))
        try:
            self.network(given)
        finally:
            hook.remove()
        if not caught:
            raise ModelError(
                "the network does not use its last linear layer; define layers in the order of their use"
            )
        return dict.fromkeys(inputs, caught[-1])

    def decode(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same prediction for each source."""
        found = self.last_layer(FUSED)(z[self.shape.modalities[0]])
        return dict.fromkeys((*self.shape.modalities, FUSED), found)

    def last_layer(self, source: str) -> nn.Linear:
        """The last linear layer, whatever the source."""
        del source
        layer = self.network.get_submodule(self._last)
        assert isinstance(layer, nn.Linear)
        return layer

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy, or the mean squared error."""
        found, labels = self(batch)[FUSED], batch.labels[FUSED]
        if self.shape.task == Task.CLASSIFICATION:
            return functional.cross_entropy(found, labels)
        return functional.mse_loss(found.squeeze(1), labels)


def plugin_of(network: nn.Module, name: str) -> ModelPlugin:
    """It as a plugin of this name.

    >>> import torch
    >>> from alharness.api.plain import plugin_of
    >>> plugin_of(torch.nn.Linear(4, 2), "mine").name
    'mine'
    """
    return ModelPlugin(name=name, params=Params, make=partial(_make, network), provides=PROVIDES)


def _make(network: nn.Module, _: Params, shape: ModelShape) -> Plain:
    return Plain(shape, network)
