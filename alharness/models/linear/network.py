"""The `linear` model."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

import torch
from torch import nn

from alharness.api.fitting import FittingModel
from alharness.api.layers import Scales
from alharness.api.vocabulary import FUSED, Task

from .solver import logistic, ridge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from alharness.api.network import Batch
    from alharness.api.vocabulary import ModelShape

    from .params import LinearParams

HELD = 2**30
"""Bytes of inputs in float64 that are solved for at once on an accelerator."""


class Linear(FittingModel):
    """Logistic regression, or ridge regression, on each modality, and on all that `modalities` names together.

    z_u is the standardized input itself, and so is the embedding of a modality; that of the fused head is their
    concatenation. z_u of a sample that lacks the modality is zero, the mean of those that have it. Such samples do
    not count in that modality's head.
    """

    stackable: ClassVar[bool] = True
    storable: ClassVar[bool] = True

    def __init__(self, params: LinearParams, shape: ModelShape) -> None:
        super().__init__(shape)
        self.penalty = params.penalty
        self.fused = tuple(params.modalities or shape.modalities)
        self.scales = Scales(shape)
        # Of one modality alone the fused head is the only one.
        self.sources = (*shape.modalities, FUSED) if len(shape.modalities) > 1 else (FUSED,)
        sizes = [sum(shape.features[m] for m in self.parts_of(source)) for source in self.sources]
        # A list in the order of sources: a modality's name may be no valid name of a submodule.
        self.heads = nn.ModuleList(nn.Linear(size, shape.outputs) for size in sizes)

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

    def encode(self, batch: Batch) -> dict[str, Tensor]:
        """Modality -> standardized inputs, (b, d_u)."""
        z: dict[str, Tensor] = self.scales(batch)
        return z

    def decode(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Source -> logits, or values in the units of the labels."""
        found = {source: self.last_layer(source)(self.joined(z, source)) for source in self.sources}
        return dict.fromkeys(self.shape.modalities, found[FUSED]) | found

    def last_layer(self, source: str) -> nn.Linear:
        """All that there is of that source's head."""
        known = source if source in self.sources else FUSED
        return cast("nn.Linear", self.heads[self.sources.index(known)])

    def parts_of(self, source: str) -> tuple[str, ...]:
        """The modalities that a source is predicted from."""
        return self.fused if source == FUSED else (source,)

    def joined(self, z: Mapping[str, Tensor], source: str) -> Tensor:
        """What a source is predicted from."""
        parts = [z[m] for m in self.parts_of(source)]
        return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]


def _solve(models: Sequence[Linear], labeled: Sequence[Batch], source: str) -> None:
    """Put the weights of that source's head into models that have their scales."""
    on_cpu = labeled[0].device.type == "cpu"
    if len(models) == 1 and not on_cpu:
        models, labeled = [*models, *models], [*labeled, *labeled]
    pairs = [*zip(models, labeled, strict=True)]
    x = torch.stack([model.joined(model.encode(samples), source) for model, samples in pairs])
    y = torch.stack([samples.labels[source] for samples in labeled])
    counted = torch.stack([_counted(samples, source) for samples in labeled])
    shape, penalty = models[0].shape, models[0].penalty
    if shape.task == Task.REGRESSION:
        weights = ridge(x.double(), y.double(), counted.double(), penalty)
    else:
        x = x if on_cpu else x.double()  # an accelerator may round products of float32 to TF32
        weights = logistic(x, y, counted.to(x), penalty, shape.outputs)
    with torch.no_grad():
        for model, found in zip(models, weights, strict=True):
            layer = model.last_layer(source)
            layer.weight.copy_(found[:, :-1])
            layer.bias.copy_(found[:, -1])


def _counted(samples: Batch, source: str) -> Tensor:
    """Which samples a head learns from: those that have its modality."""
    return samples.present.get(source, torch.ones(len(samples), dtype=torch.bool, device=samples.device))
