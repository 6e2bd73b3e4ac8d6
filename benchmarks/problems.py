"""What is measured on: made-up pools that kernels pick from, and made-up samples that a network is trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

import numpy as np
import torch

from alharness import Inputs, ModelShape, MultimodalModel, Samples, Task
from alharness.engine.batches import as_batch
from alharness.models.late_fusion.params import LateFusionParams
from alharness.models.late_fusion.plugin import make
from alharness_sentiment.av_mc.network import AvMc
from alharness_sentiment.av_mc.plugin import AvMcParams

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alharness.api.network import Batch

CPU = torch.device("cpu")
NOISE = 0.3
LARGEST = 6.0
"""No made-up target is as far from 0."""


class Data(NamedTuple):
    """A pool and what a linear head says of it.

    Attributes:
        pool: (N, D) float32.
        labeled: (L, D) float32.
        log_probabilities: (N, C) float32, of the pool.
    """

    pool: torch.Tensor
    labeled: torch.Tensor
    log_probabilities: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Points around 4·C Gaussian centers, with unit noise, and a random linear softmax head.

    Attributes:
        N: points in the pool.
        D: features.
        k: points to pick, or whatever a kernel does so many times.
        C: classes.
        L: labeled points.
        members: sets of N points, if a kernel takes several.
    """

    N: int
    D: int
    k: int = 0
    C: int = 7
    L: int = 200
    members: int = 1

    @property
    def tiny(self) -> Self:
        """The same in so small that it takes no time, for warming up and for trying out."""
        return replace(self, N=min(self.N, 600), D=min(self.D, 16), k=min(self.k, 5), L=min(self.L, 20))

    def of_size(self, N: int) -> Self:
        """The same with another pool."""
        return replace(self, N=N)

    def data(self, member: int = 0) -> Data:
        """Its numbers: the same for every call with the same member."""
        generator = torch.Generator().manual_seed(member)
        centers = torch.randn(4 * self.C, self.D, generator=generator)
        points = torch.randn(self.N + self.L, self.D, generator=generator)
        which = torch.randint(4 * self.C, (len(points),), generator=generator)
        # In blocks: a temporary of the pool's size would count as memory of what is measured next.
        for rows in range(0, len(points), 1024):
            points[rows : rows + 1024] += centers[which[rows : rows + 1024]]
        head = torch.randn(self.D, self.C, generator=generator) * (1.5 / self.D**0.5)
        pool = points[: self.N]
        return Data(pool, points[self.N :], (pool @ head).log_softmax(1))


@dataclass(frozen=True, kw_only=True)
class Training:
    """Small networks for regression, trained from scratch by shuffled batches, each on samples of its own.

    Attributes:
        N: labeled samples of each.
        features: modality -> how many.
        batch: samples per step.
        epochs: passes over the samples.
        valid: validation samples, whose loss is taken after every epoch; 0 for no validation.
        model: which network, `late_fusion` at its defaults or `av_mc` cut at its encoders.
        members: how many are trained.
    """

    N: int
    features: Mapping[str, int]
    batch: int = 32
    epochs: int = 10
    valid: int = 0
    model: Literal["late_fusion", "av_mc"] = "late_fusion"
    members: int = 1

    @property
    def tiny(self) -> Self:
        """The same in so small that it takes no time."""
        features = {modality: min(d, 8) for modality, d in self.features.items()}
        return replace(
            self,
            N=min(self.N, 80),
            features=features,
            epochs=min(self.epochs, 2),
            valid=min(self.valid, 40),
            members=min(self.members, 3),
        )

    @property
    def steps(self) -> int:
        """Steps of the optimizer in one training."""
        return self.epochs * -(-self.N // self.batch)

    def samples(self, member: int = 0) -> Samples:
        """Normal features; the targets of a modality are a line through its own, and noise.

        Members have samples in common, each a random half of as many again.
        """
        chosen = np.random.default_rng(member).permutation(2 * self.N)[: self.N]
        return self._everything.subset(chosen)

    def validation(self) -> Samples | None:
        """More of the same; None if there is no validation."""
        return self._everything.take(np.arange(2 * self.N, 2 * self.N + self.valid)) if self.valid else None

    @cached_property
    def _everything(self) -> Samples:
        rng = np.random.default_rng(0)
        n = 2 * self.N + self.valid
        arrays = {m: rng.normal(size=(n, d)).astype(np.float32) for m, d in self.features.items()}
        labels = {}
        for modality, x in arrays.items():
            line = x @ rng.normal(size=x.shape[1]) / x.shape[1] ** 0.5
            labels[modality] = (line + NOISE * rng.normal(size=n)).astype(np.float32)
        return Samples(
            inputs=Inputs(ids=tuple(f"{row:06d}" for row in range(n)), arrays=arrays),
            labels=np.mean(list(labels.values()), axis=0),
            unimodal_labels=labels,
        )

    def network(self) -> MultimodalModel:
        """A fresh one; weights from torch's global generator."""
        shape = ModelShape(features=self.features, task=Task.REGRESSION, outputs=1)
        if self.model == "av_mc":
            return AvMc(AvMcParams(cut="encoder", output_range=(-LARGEST, LARGEST)), shape)
        return make(LateFusionParams(), shape)

    def start(self, samples: Samples) -> tuple[MultimodalModel, Batch]:
        """What every loop begins with: torch's generator seeded, a network adapted to the samples, and these."""
        torch.manual_seed(0)
        network, batch = self.network(), as_batch(samples, CPU)
        network.adapt(batch)
        return network, network.prepare(batch)
