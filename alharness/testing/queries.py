"""Queries of tensors in memory, for tests against an oracle."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from alharness.api.sampler import Query
from alharness.api.vocabulary import FUSED, Task

from .views import TensorView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from alharness.api.sampler import Embed, View


@dataclass(frozen=True, kw_only=True, eq=False)
class TensorQuery(Query):
    """A query without a harness behind it.

    Attributes:
        logged: what the sampler has logged.

    >>> from alharness.testing import TensorView, make_query
    >>> query = make_query(TensorView(n=3), size=1)
    >>> query.log("spread", 0.5)
    >>> query.logged
    {'spread': 0.5}
    """

    logged: dict[str, float] = field(default_factory=dict)


def make_query(
    unlabeled: View,
    labeled: View | None = None,
    *,
    size: int = 5,
    task: Task = Task.CLASSIFICATION,
    modalities: tuple[str, ...] = ("audio", "text"),
    classes: tuple[str, ...] = (),
    decode: Callable[[Mapping[str, Tensor]], dict[str, Tensor]] | None = None,
    embed: Embed | None = None,
    seed: int = 0,
    cycle: int = 0,
    cycles: int = 1,
) -> TensorQuery:
    """A query on the CPU.

    Args:
        unlabeled: most often a `TensorView`.
        labeled: the same; by default no sample is labeled.
        size: how many to choose.
        task: classification or regression.
        modalities: their names.
        classes: their names.
        decode: the heads; without them, calling `query.decode` raises AssertionError.
        embed: the heads up to their last layers; without them, calling `query.embed` raises AssertionError.
        seed: of `query.rng`, which is `numpy.random.default_rng(seed)`.
        cycle: number of this query.
        cycles: how many there will be.

    >>> from alharness.testing import TensorView, make_query
    >>> query = make_query(TensorView(n=10), size=3, seed=1)
    >>> len(query.unlabeled), query.size, query.cycle
    (10, 3, 0)
    """
    logged: dict[str, float] = {}
    return TensorQuery(
        unlabeled=unlabeled,
        labeled=TensorView() if labeled is None else labeled,
        size=size,
        cycle=cycle,
        cycles=cycles,
        task=task,
        modalities=modalities,
        classes=classes,
        device=torch.device("cpu"),
        rng=np.random.default_rng(seed),
        decode=_no_heads if decode is None else decode,
        embed=_no_layers if embed is None else embed,
        log=logged.__setitem__,
        phase=lambda _: nullcontext(),
        logged=logged,
    )


def _no_heads(_: Mapping[str, Tensor]) -> dict[str, Tensor]:
    raise AssertionError("it decoded representations, but this query has no heads")


def _no_layers(z: Mapping[str, Tensor], source: str = FUSED) -> Tensor:
    raise AssertionError(f"it embedded {', '.join(z)} for {source!r}, but this query has no heads")
