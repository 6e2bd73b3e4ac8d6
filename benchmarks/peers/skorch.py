"""skorch, networks of torch behind the interface of scikit-learn (Tietz et al., 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from alharness.api.network import LEARNING_RATE, Batch
from alharness.engine.batches import as_batch
from benchmarks.bench import Call, Kernel, Unavailable
from benchmarks.problems import CPU

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from alharness import MultimodalModel
    from benchmarks.problems import Training

INPUT, LABEL = "input_", "label_"


def fit(problem: Training) -> Call:
    """`NeuralNet.fit` with the callbacks that it always has, but silent."""
    net, split = _skorch()
    samples, valid = problem.samples(), problem.validation()

    def call() -> nn.Module:
        network, data = problem.start(samples)
        net(
            _Loss(network),
            criterion=_AsItIs,
            optimizer=torch.optim.Adam,
            lr=LEARNING_RATE,
            max_epochs=problem.epochs,
            batch_size=problem.batch,
            iterator_train__shuffle=True,
            train_split=None if valid is None else split(_arrays(network.prepare(as_batch(valid, CPU)))),
            verbose=0,
        ).fit(_arrays(data), None)
        return network

    return call


def _arrays(data: Batch) -> dict[str, Any]:
    arrays = {INPUT + modality: x.numpy() for modality, x in data.inputs.items()}
    return arrays | {LABEL + source: y.numpy() for source, y in data.labels.items()}


def _skorch() -> tuple[Any, Callable[[dict[str, Any]], Any]]:
    """The network, and what makes a split of arrays to validate on."""
    try:
        from skorch import NeuralNet
        from skorch.dataset import Dataset
        from skorch.helper import predefined_split
    except ImportError as error:
        raise Unavailable("needs skorch") from error
    return NeuralNet, lambda arrays: predefined_split(Dataset(arrays))


class _Loss(nn.Module):
    """The network's own loss as a prediction: it takes labels of several sources, a criterion only one."""

    def __init__(self, network: MultimodalModel) -> None:
        super().__init__()
        self.network = network

    def forward(self, **arrays: Tensor) -> Tensor:
        inputs, labels = (
            {name.removeprefix(kind): array for name, array in arrays.items() if name.startswith(kind)}
            for kind in (INPUT, LABEL)
        )
        return self.network.loss(Batch(inputs=inputs, labels=labels))


class _AsItIs(nn.Module):
    def forward(self, loss: Tensor, _: Tensor) -> Tensor:
        return loss


FIT = Kernel(name="skorch", prepare=fit, foreign=True)
