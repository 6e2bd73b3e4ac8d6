"""Algorithm 1: train on the labeled samples, choose from the unlabeled ones, ask the oracle, repeat."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.records import CycleRecord, Schedule

from .extraction import predict
from .metrics import evaluate
from .pool import Pool
from .recipe import Fit
from .seeds import derive
from .selection import ask
from .utilisation import utilisation, withhold

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from alharness.api.metrics import Metrics
    from alharness.api.sampler import Sampler
    from alharness.api.samples import Samples
    from alharness.api.vocabulary import Feature

    from .pool import Oracle
    from .recipe import Fitted, Validation


@dataclass(frozen=True, kw_only=True, eq=False)
class SeedData:
    """What all cells of a seed share.

    Attributes:
        seed: the seed of every stream.
        oracle: knows the labels of the pool.
        initial: the pool at cycle 0.
        valid: stops trainings; None trains every epoch.
        test: evaluated after every training, and used for nothing else; None if no samples were set aside for it.
        schedule: labels per cycle.
        batch: samples per batch of inference.
        metrics: what is measured on the test.
        classes: names of the classes, in the order of the label indices; empty for regression.
        context: digests of split and initial pool.
    """

    seed: int
    oracle: Oracle
    initial: Pool
    valid: Validation | None = None
    test: Samples | None
    schedule: Schedule
    batch: int
    metrics: Metrics
    classes: tuple[str, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reference(self) -> SeedData:
        """The same with all labels of the pool from the beginning, and no query."""
        ids = self.initial.ids
        schedule = Schedule(initial_pool=len(ids), sizes=())
        return replace(self, schedule=schedule, initial=Pool(ids, tuple(range(len(ids)))))


def run_cell(
    data: SeedData,
    sampler: Sampler | None,
    pool: Pool,
    first_cycle: int = 0,
    *,
    features: frozenset[Feature] = frozenset(),
    own: str = "",
    who: str = "the sampler",
    warn: Callable[[str], None] = warnings.warn,
) -> Generator[Fit | CycleRecord, Fitted, None]:
    """Run the cycles of one cell, from `first_cycle` to the last.

    Args:
        data: what the cells of its seed share.
        sampler: None if the schedule has no query.
        pool: with the labels bought before `first_cycle`.
        first_cycle: where to begin.
        features: what the sampler may read.
        own: name of the cell's own random streams; empty for those of its seed.
        who: the sampler and its distribution, for messages.
        warn: called with what the sampler changed in the process, once that was put back.

    Yields:
        Each cycle's `Fit`, to be answered with a `Fitted`, and then its `CycleRecord`.
    """
    sizes = data.schedule.sizes
    for cycle in range(first_cycle, len(sizes) + 1):
        labeled = data.oracle.reveal(pool)
        seed = derive(data.seed, "model", cycle)
        fitted = yield Fit(labeled=labeled, seed=seed, valid=data.valid, cycle=cycle)
        began = time.perf_counter()
        metrics, used = _evaluate(data, fitted, labeled)
        cost = {**fitted.cost, "evaluate_seconds": time.perf_counter() - began}
        if cycle == len(sizes):
            yield CycleRecord(cycle=cycle, labeled=len(labeled), metrics=metrics, utilisation=used, cost=cost)
            return

        assert sampler is not None
        answer = ask(
            sampler,
            fitted,
            data.oracle.inputs,
            labeled,
            pool,
            size=sizes[cycle],
            cycle=cycle,
            cycles=len(sizes),
            seed=data.seed,
            batch=data.batch,
            features=features,
            classes=data.classes,
            bought=np.repeat(np.arange(-1, cycle), [data.schedule.initial_pool, *sizes[:cycle]]),
            truth=data.oracle.truth,
            own=own,
            who=who,
            warn=warn,
        )
        yield CycleRecord(
            cycle=cycle,
            labeled=len(labeled),
            metrics=metrics,
            diagnostics=answer.diagnostics,
            utilisation=used,
            chosen=tuple(pool.ids[i] for i in answer.positions),
            scores=answer.scores,
            cost={**cost, **answer.cost},
        )
        pool = pool.label(answer.positions)


def _evaluate(data: SeedData, fitted: Fitted, labeled: Samples) -> tuple[dict[str, float], dict[str, float]]:
    """Metrics of the test, if there is one, and how much the model uses each modality, if there are several."""
    if data.test is None:
        return {}, {}
    with fitted.border.crossed("evaluation"):
        predictions = predict(fitted, data.test.inputs, data.batch)
        withheld = withhold(fitted, data.test.inputs, labeled.inputs, data.batch)
    labels, metrics, classes = data.test.labels, data.metrics, data.classes
    measured = evaluate(metrics, predictions, labels, classes)
    return measured, utilisation(withheld, labels, metrics, classes) if withheld else {}
