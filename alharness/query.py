"""What a sampler sees: two lazy views of the pool, the size of the request, and its only source of randomness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .features import FUSED, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    import numpy as np
    import torch
    from torch import Tensor


class View(Protocol):
    """One side of the pool, labeled or unlabeled, through the eyes of the model just trained.

    Everything is computed on first use, in batches, without gradients, and kept until the cycle ends.
    Rows stand in the order of `ids`. Reading a feature that the sampler's plugin did not declare raises
    SamplerError. All tensors lie on `query.device`.
    """

    @property
    def ids(self) -> tuple[str, ...]:
        """n ids, in canonical order."""
        ...

    def __len__(self) -> int: ...

    def embeddings(self, source: str = FUSED) -> Tensor:
        """(n, d) inputs of the last linear layer of that source's head."""
        ...

    def representations(self, modality: str) -> Tensor:
        """(n, d_u) encoder outputs z_u, which feed the modality's own head and the fusion."""
        ...

    def context(self) -> dict[str, Tensor]:
        """What the model's encoders give beside the representations, by name, (n, ...); empty for most models.

        `query.decode` needs it, of the same rows: `query.decode({**z, **query.unlabeled.context()})`.
        """
        ...

    def predictions(self, source: str = FUSED) -> Tensor:
        """(n, C) log-probabilities, or (n, 1) values in regression."""
        ...

    def mc_draws(self, draws: int, source: str = FUSED) -> Iterator[Tensor]:
        """`draws` predictions of the shape of `predictions`, each with fresh dropout masks, one at a time.

        Normalization layers stay in evaluation mode. Raises SamplerError where the model has no active dropout.
        """
        ...

    def targets(self) -> Tensor:
        """(n,) labels of the labeled view; on the unlabeled view it raises LabelLeak."""
        ...


class Embed(Protocol):
    """Heads and fusion up to the last layer: modality -> (n, d_u) in, (n, d) out."""

    def __call__(self, z: Mapping[str, Tensor], source: str = FUSED) -> Tensor:
        """Inputs of the last linear layer of that source's head."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Query:
    """A request for labels.

    Attributes:
        unlabeled: the samples to choose from; `select` returns positions into this view.
        labeled: the samples whose labels are known.
        size: how many to choose.
        cycle: 0-based number of this query.
        cycles: how many queries the whole experiment makes.
        task: classification or regression.
        modalities: names of the modalities.
        device: where all tensors lie.
        rng: this query's own generator, made from the seed and the cycle; the only randomness allowed.
        decode: heads and fusion only, modality -> (n, d_u) in, source -> (n, C) or (n, 1) out, in the terms of
            `View.predictions`; differentiable, in evaluation mode. Rows of `View.context` go in beside them.
        embed: `embed(z, source="fused")` gives the (n, d) inputs of the last linear layer of that source's head,
            as `View.embeddings`, but for any z, as `decode` takes it; without gradients.
        log: `log(name, value)` keeps a diagnostic of this cycle; it becomes the metric `al/<name>`.
        phase: `with query.phase("gradients"):` charges what happens inside to that part of the query time;
            views charge themselves to `inference`, and the rest is `selection`.
    """

    unlabeled: View
    labeled: View
    size: int
    cycle: int
    cycles: int
    task: Task
    modalities: tuple[str, ...]
    device: torch.device
    rng: np.random.Generator
    decode: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
    embed: Embed
    log: Callable[[str, float], None]
    phase: Callable[[str], AbstractContextManager[None]]

    def seed(self) -> int:
        """A fresh seed from `rng` for a library that brings its own generator, such as torch or scikit-learn."""
        return int(self.rng.integers(2**32))
