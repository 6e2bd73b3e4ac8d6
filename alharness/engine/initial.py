"""The initial pool, chosen by a sampler: nothing is labeled yet, so that there is no model to ask."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import torch

from alharness.api.network import MultimodalModel
from alharness.api.samples import Samples
from alharness.api.vocabulary import Feature, ModelShape, Task
from alharness.errors import SamplerError

from .pool import Pool
from .recipe import Fitted
from .selection import ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from alharness.api.sampler import Sampler
    from alharness.api.samples import Inputs

    from .selection import CheckedSelection

READABLE = frozenset({Feature.INPUTS})
"""What a sampler may read that chooses an initial pool."""

STREAM = "initial"
"""Name of its random streams, which are those of the seed otherwise."""


class Untrained(MultimodalModel):
    """In the place of a model; a sampler that reads inputs alone asks nothing of it."""

    def encode(self, *_of: Any, **_named: Any) -> NoReturn:
        """There is nothing to ask."""
        raise SamplerError("there is no model before the first labels")

    decode = last_layer = loss = encode


def choose(
    sampler: Sampler,
    inputs: Inputs,
    *,
    size: int,
    seed: int,
    task: Task,
    classes: tuple[str, ...] = (),
    features: frozenset[Feature] = READABLE,
    who: str = "the sampler",
    warn: Callable[[str], None] = warnings.warn,
) -> CheckedSelection:
    """Have a sampler choose the first samples to label.

    On the CPU, so that all processes and machines of a run have the same pool.

    Args:
        sampler: is asked.
        inputs: of all samples of the pool.
        size: samples to choose.
        seed: of what the sampler draws.
        task: classification or regression.
        classes: their names; empty for regression.
        features: what the sampler declares; more than `READABLE` is refused when it is read.
        who: the sampler and its distribution, for messages.
        warn: called with what the sampler changed in the process, once that was put back.

    Raises:
        SamplerError: as in `ask`.
    """
    shape = ModelShape(
        features={m: x.shape[-1] for m, x in inputs.arrays.items()},
        task=task,
        outputs=len(classes) or 1,
        steps={m: x.shape[1] for m, x in inputs.arrays.items() if x.ndim == 3},
    )
    none = np.empty(0, np.int64)
    kind = np.int64 if task == Task.CLASSIFICATION else np.float32
    return ask(
        sampler,
        Fitted(model=Untrained(shape).eval(), device=torch.device("cpu"), epochs=0),
        inputs,
        Samples(inputs=inputs.subset(none), labels=np.empty(0, kind)),
        Pool(inputs.ids),
        size=size,
        cycle=0,
        cycles=1,
        seed=seed,
        batch=1,
        features=features & READABLE,
        classes=classes,
        bought=none,
        own=STREAM,
        who=who,
        warn=warn,
        moment="initial pool",
    )
