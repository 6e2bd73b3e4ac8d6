"""Asking a sampler, and checking what it answers."""

from __future__ import annotations

import random
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from alharness.api.sampler import Query, Selection
from alharness.errors import SamplerError
from alharness.guard import fingerprint
from alharness.guard.border import Border
from alharness.guard.trait import listed

from .extraction import Extractor
from .measure import Clock, Meter
from .seeds import derive, stream
from .views import Bought, ModelView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from alharness.api.sampler import Positions, Sampler
    from alharness.api.samples import Array, Inputs, Samples
    from alharness.api.vocabulary import Feature

    from .pool import Pool
    from .recipe import Fitted


@dataclass(frozen=True, kw_only=True)
class CheckedSelection:
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
    sampler: Sampler,
    fitted: Fitted,
    inputs: Inputs,
    labeled: Samples,
    pool: Pool,
    *,
    size: int,
    cycle: int,
    cycles: int,
    seed: int,
    batch: int,
    features: frozenset[Feature],
    classes: tuple[str, ...] = (),
    bought: NDArray[np.int64] | None = None,
    truth: Mapping[str, Array] | None = None,
    own: str = "",
    who: str = "the sampler",
    warn: Callable[[str], None] = warnings.warn,
    moment: str = "",
) -> CheckedSelection:
    """Have the sampler choose; time it; check the answer.

    The time of a query runs from the call of `select` to the checked positions. All views are computed inside.

    Args:
        sampler: is asked.
        fitted: the model trained on the labeled samples.
        inputs: of all samples of the pool.
        labeled: the labeled samples.
        pool: which samples are labeled.
        size: samples to choose.
        cycle: 0-based.
        cycles: number of queries in the whole schedule.
        seed: of the cell.
        batch: samples per batch of inference.
        features: what the sampler may read.
        classes: their names; empty for regression.
        bought: cycles of the queries that bought the labels, in the order of `pool.labeled`; None if not known.
        truth: name -> what is known of all samples of the pool.
        own: name of the cell's own random streams; empty for those of its seed.
        who: the sampler and its distribution, for messages.
        warn: called with what the sampler changed in the process, once that was put back.
        moment: of the query, for messages; empty for its cycle.

    Raises:
        SamplerError: the answer breaks the contract, or the sampler wrote to what others read, or changed
            something of the process that cannot be put back; names the sampler, its distribution and the cycle.
        ModelError: the model's code raised; names the model.
    """
    diagnostics: dict[str, float] = {}
    unlabeled = pool.unlabeled
    unlabeled.flags.writeable = False
    # Views have their rows in the order of the pool, not in that in which they were bought.
    known = Bought(samples=labeled, cycles=None if bought is None else bought[np.argsort(pool.labeled)])
    border = Border(who, SamplerError, warn, known=fitted.border.reported)
    moment = moment or f"cycle {cycle}"
    before = fingerprint.of_model(fitted.model)
    with border.crossed(moment), Meter(fitted.device) as meter:  # what the border does is no part of the query
        clock = Clock(fitted.device, rest="selection")
        extractor = Extractor(fitted, batch, features, clock, derive(seed, "dropout", cycle, own))
        query = Query(
            unlabeled=ModelView(extractor, inputs, unlabeled, truth=truth),
            labeled=ModelView(extractor, inputs, pool.known, known, truth),
            size=size,
            cycle=cycle,
            cycles=cycles,
            task=fitted.task,
            modalities=inputs.modalities,
            classes=classes,
            device=fitted.device,
            rng=stream(seed, "sampler", cycle, own),
            decode=extractor.decode,
            embed=extractor.embed,
            log=lambda name, value: diagnostics.update({name: float(value)}),
            phase=clock.charge,
        )
        positions, scores = checked(sampler.select(query), len(unlabeled), size)
        clock.lap()
    with border.blamed(moment):
        _require_untouched("the model", fingerprint.differences(before, fingerprint.of_model(fitted.model)))
        _require_untouched("what its views gave it", extractor.handed_out.written())
    parts = dict.fromkeys(("inference", "gradients", "selection"), 0.0) | clock.seconds
    cost = {f"query_{name}": meter.cost.pop(name) for name in ("seconds", "cpu_seconds")}
    cost |= {f"query_{phase}_seconds": seconds for phase, seconds in parts.items()} | meter.cost
    return CheckedSelection(
        positions=tuple(int(i) for i in unlabeled[positions]),
        scores=tuple(scores),
        diagnostics=diagnostics,
        cost=cost,
    )


def _require_untouched(what: str, changed: list[str]) -> None:
    if changed:
        raise SamplerError(f"it changed {what} ({listed(changed)}), which others read too; change a copy")


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
        raise SamplerError(f"it was asked for {size} samples and chose {len(array)}")
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
