"""The `linear` model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

import torch
from torch import nn

from alharness.api.vocabulary import Task
from alharness.models.on_inputs import OnInputs, known

from .solver import logistic, ridge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.api.network import Batch
    from alharness.api.vocabulary import ModelShape

    from .params import LinearParams

HELD = 2**30
"""Bytes of inputs in float64 that are solved for at once on an accelerator."""


class Linear(OnInputs):
    """Logistic regression, or ridge regression, on each modality, and on all that `modalities` names together.

    Samples that lack a modality do not count in its head.
    """

    stackable: ClassVar[bool] = True
    storable: ClassVar[bool] = True

    def __init__(self, params: LinearParams, shape: ModelShape) -> None:
        super().__init__(shape, partial(nn.Linear, out_features=shape.outputs), fused=params.modalities or ())
        self.penalty = params.penalty

    def fit(self, labeled: Batch, valid: Batch | None) -> None:
        """Solve for the weights of every head."""
        self.fit_all([self], [labeled], [valid])

    @classmethod
    def fit_all(  # type: ignore[override]
        cls,
        models: Sequence[Linear],
        labeled: Sequence[Batch],
        valid: Sequence[Batch | None],  # noqa: ARG003 - the penalty is given
    ) -> None:
        """The same for several models."""
        for model, samples in zip(models, labeled, strict=True):
            model.scales.adapt(samples)
        first = models[0]
        size = 8 * len(labeled[0]) * sum(first.shape.features.values())
        # On a CPU each is as quick by itself. Kernels of an accelerator treat one alone otherwise.
        together = max(2, HELD // size) if labeled[0].device.type != "cpu" else 1
        for source in first.sources:
            for start in range(0, len(models), together):
                part = slice(start, start + together)
                _solve(models[part], labeled[part], source)


def _solve(models: Sequence[Linear], labeled: Sequence[Batch], source: str) -> None:
    """Put the weights of that source's head into models that have their scales."""
    on_cpu = labeled[0].device.type == "cpu"
    if len(models) == 1 and not on_cpu:
        models, labeled = [*models, *models], [*labeled, *labeled]
    pairs = [*zip(models, labeled, strict=True)]
    x = torch.stack([model.joined(model.encode(samples), source) for model, samples in pairs])
    y = torch.stack([samples.labels[source] for samples in labeled])
    counted = torch.stack([known(samples, source) for samples in labeled])
    shape, penalty = models[0].shape, models[0].penalty
    if shape.task == Task.REGRESSION:
        weights = ridge(x.double(), y.double(), counted.double(), penalty)
    else:
        x = x if on_cpu else x.double()  # an accelerator may round products of float32 to TF32
        weights = logistic(x, y, counted.to(x), penalty, shape.outputs)
    with torch.no_grad():
        for model, found in zip(models, weights, strict=True):
            layer = cast("nn.Linear", model.last_layer(source))
            layer.weight.copy_(found[:, :-1])
            layer.bias.copy_(found[:, -1])
