"""Labeled samples with made-up numbers, and the network that is trained on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from alharness import Inputs, ModelShape, Samples, Task
from alharness.engine.batches import as_batch
from alharness.models.late_fusion.params import LateFusionParams
from alharness.models.late_fusion.plugin import make

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alharness.api.network import Batch
    from alharness.models.late_fusion.network import LateFusion

CPU = torch.device("cpu")
NOISE = 0.3


@dataclass(frozen=True, kw_only=True)
class Training:
    """`late_fusion` at its defaults, for regression, trained from scratch by shuffled batches.

    Attributes:
        N: labeled samples.
        features: modality -> how many.
        batch: samples per step.
        epochs: passes over the samples.
        valid: validation samples, whose loss is taken after every epoch; 0 for no validation.
    """

    N: int
    features: Mapping[str, int]
    batch: int = 32
    epochs: int = 10
    valid: int = 0

    @property
    def tiny(self) -> Self:
        """The same in so small that it takes no time."""
        features = {modality: min(d, 8) for modality, d in self.features.items()}
        small = {"N": min(self.N, 80), "epochs": min(self.epochs, 2), "valid": min(self.valid, 40)}
        return replace(self, features=features, **small)

    @property
    def steps(self) -> int:
        """Steps of the optimizer."""
        return self.epochs * -(-self.N // self.batch)

    def samples(self) -> Samples:
        """Normal features; the targets of a modality are a line through its own, and noise."""
        return self._made_up()[0]

    def validation(self) -> Samples | None:
        """More of the same; None if there is no validation."""
        return self._made_up()[1] if self.valid else None

    def _made_up(self) -> tuple[Samples, Samples]:
        rng = np.random.default_rng(0)
        n = self.N + self.valid
        arrays = {m: rng.normal(size=(n, d)).astype(np.float32) for m, d in self.features.items()}
        labels = {}
        for modality, x in arrays.items():
            line = x @ rng.normal(size=x.shape[1]) / x.shape[1] ** 0.5
            labels[modality] = (line + NOISE * rng.normal(size=n)).astype(np.float32)
        ids = tuple(f"{row:06d}" for row in range(n))
        all_samples = Samples(
            inputs=Inputs(ids=ids, arrays=arrays),
            labels=np.mean(list(labels.values()), axis=0),
            unimodal_labels=labels,
        )
        return all_samples.take(np.arange(self.N)), all_samples.take(np.arange(self.N, n))

    def network(self) -> LateFusion:
        """A fresh one; weights from torch's global generator."""
        return make(LateFusionParams(), ModelShape(features=self.features, task=Task.REGRESSION, outputs=1))

    def start(self, samples: Samples) -> tuple[LateFusion, Batch]:
        """What every loop begins with: torch's generator seeded, a network adapted to the samples, and these."""
        torch.manual_seed(0)
        network, batch = self.network(), as_batch(samples, CPU)
        network.adapt(batch)
        return network, network.prepare(batch)
