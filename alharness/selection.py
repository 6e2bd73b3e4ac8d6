"""Asking a sampler, and checking what it answers."""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from .errors import SamplerError
from .extraction import Extractor, ModelView
from .measure import Clock, Meter
from .plugin import Selection
from .query import Query
from .seeds import derive, stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .features import Feature
    from .plugin import Positions, Sampler
    from .pool import Pool
    from .samples import Inputs, Samples
    from .training import Fitted


@dataclass(frozen=True, kw_only=True)
class Chooser:
    """A sampler together with what the harness must know of it.

    Attributes:
        sampler: made by its plugin.
        name: `<label> (<distribution>)`, for messages.
        features: what its plugin declared.
    """

    sampler: Sampler
    name: str
    features: frozenset[Feature]


@dataclass(frozen=True, kw_only=True)
class Request:
    """Where in the experiment a query stands; see the attributes of `alharness.query.Query`."""

    size: int
    cycle: int
    cycles: int
    seed: int
    batch: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a sampler chose.

    Attributes:
        positions: positions in the pool, the first choice first.
        scores: their scores, or empty.
        diagnostics: what it logged.
        cost: `query_seconds`, its parts `query_inference_seconds`, `query_gradients_seconds` and
            `query_selection_seconds`, `query_cpu_seconds`, and the peaks of `measure.Meter`.
    """

    positions: tuple[int, ...]
    scores: tuple[float, ...] = ()
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)


def ask(
    chooser: Chooser, fitted: Fitted, inputs: Inputs, labeled: Samples, pool: Pool, request: Request
) -> Answer:
    """Have the sampler choose; time it; check the answer.

    The time of a query runs from the call of `select` to the checked positions. All views are computed inside.

    Raises:
        SamplerError: the answer breaks the contract; names the sampler, its distribution and the cycle.
    """
    diagnostics: dict[str, float] = {}
    unlabeled = pool.unlabeled
    with Meter(fitted.device) as meter, untouched_generators():
        clock = Clock(fitted.device, rest="selection")
        extractor = Extractor(
            fitted, request.batch, chooser.features, clock, derive(request.seed, "dropout", request.cycle)
        )
        query = Query(
            unlabeled=ModelView(extractor, inputs, unlabeled),
            labeled=ModelView(
                extractor,
                inputs,
                pool.known,
                targets=lambda: torch.from_numpy(labeled.labels).to(fitted.device),
            ),
            size=request.size,
            cycle=request.cycle,
            cycles=request.cycles,
            task=fitted.task,
            modalities=inputs.modalities,
            device=fitted.device,
            rng=stream(request.seed, "sampler", request.cycle),
            decode=extractor.decode,
            embed=extractor.embed,
            log=lambda name, value: diagnostics.update({name: float(value)}),
            phase=clock.charge,
        )
        try:
            positions, scores = checked(chooser.sampler.select(query), len(unlabeled), request.size)
        except SamplerError as error:
            raise type(error)(f"{chooser.name}, cycle {request.cycle}: {error}") from error
        clock.lap()
    parts = dict.fromkeys(("inference", "gradients", "selection"), 0.0) | clock.seconds
    cost = {f"query_{name}": meter.cost.pop(name) for name in ("seconds", "cpu_seconds")}
    cost |= {f"query_{phase}_seconds": seconds for phase, seconds in parts.items()} | meter.cost
    return Answer(
        positions=tuple(int(i) for i in unlabeled[positions]),
        scores=tuple(scores),
        diagnostics=diagnostics,
        cost=cost,
    )


def checked(answer: Positions | Selection, n: int, size: int) -> tuple[list[int], list[float]]:
    """Positions and scores as plain numbers.

    Raises:
        SamplerError: not `size` distinct integers within 0 and n - 1, or a score that is not finite.
    """
    positions, scores = answer if isinstance(answer, Selection) else (answer, None)
    if isinstance(positions, torch.Tensor):
        positions = positions.detach().cpu().numpy()
    try:
        array = np.asarray(positions)
    except (TypeError, ValueError) as error:
        raise SamplerError(f"it did not return positions but {type(positions).__name__}") from error
    if array.ndim != 1 or (array.dtype.kind not in "iu" and len(array)):
        raise SamplerError(
            f"it must return one integer position per choice, but returned {type(positions).__name__} "
            f"of shape {array.shape} and type {array.dtype}"
        )
    if len(array) != size:
        raise SamplerError(f"it chose {len(array)} samples where {size} were asked for")
    outside = array[(array < 0) | (array >= n)]
    if len(outside):
        raise SamplerError(
            f"it chose position {outside[0]}, but the unlabeled view has only positions 0 to {n - 1}"
        )
    values, counts = np.unique(array, return_counts=True)
    if len(values) < size:
        raise SamplerError(f"it chose position {values[counts > 1][0]} {counts.max()} times")
    if scores is None:
        return array.tolist(), []
    numbers = np.asarray(torch.as_tensor(scores).detach().cpu(), dtype=np.float64)
    if numbers.shape != (size,) or not np.isfinite(numbers).all():
        raise SamplerError(f"the scores of its choice must be {size} finite numbers")
    return array.tolist(), numbers.tolist()


@contextmanager
def untouched_generators() -> Iterator[None]:
    """Put the global random generators back afterwards, whatever a sampler did to them."""
    legacy, plain = np.random.get_state(), random.getstate()  # noqa: NPY002 - others use it
    with torch.random.fork_rng():
        try:
            yield
        finally:
            np.random.set_state(legacy)  # noqa: NPY002
            random.setstate(plain)
