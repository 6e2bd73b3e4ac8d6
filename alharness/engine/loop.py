"""Algorithm 1: train on the labeled samples, choose from the unlabeled ones, ask the oracle, repeat."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alharness.api.records import CycleRecord

from .extraction import predict
from .metrics import evaluate
from .seeds import derive
from .selection import Chooser, Request, ask

if TYPE_CHECKING:
    from collections.abc import Generator

    from alharness.api.metrics import Metrics
    from alharness.api.records import Schedule
    from alharness.api.samples import Samples

    from .pool import Oracle, Pool
    from .training import Fitted


@dataclass(frozen=True, kw_only=True)
class World:
    """What all cells of a seed share.

    Attributes:
        oracle: knows the labels of the pool.
        test: evaluated after every training, seen by nobody else.
        schedule: labels per cycle.
        seed: the seed of every stream.
        batch: samples per batch of inference.
        metrics: what is measured on the test.
        classes: names of the classes, in the order of the label indices; empty for regression.
    """

    oracle: Oracle
    test: Samples
    schedule: Schedule
    seed: int
    batch: int
    metrics: Metrics
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A request to whoever drives the cell: train from scratch on these samples, and send the model back."""

    cycle: int
    labeled: Samples
    seed: int


def run_cell(
    world: World, chooser: Chooser | None, pool: Pool, first_cycle: int = 0
) -> Generator[Fit | CycleRecord, Fitted, None]:
    """Run the cycles of one cell from `first_cycle` on, with the labels that `pool` has by then.

    Without a chooser the schedule must have no query.

    Yields `Fit` requests, each answered with a `Fitted`, and one `CycleRecord` per cycle.
    """
    sizes = world.schedule.sizes
    for cycle in range(first_cycle, len(sizes) + 1):
        labeled = world.oracle.reveal(pool)
        fitted = yield Fit(cycle=cycle, labeled=labeled, seed=derive(world.seed, "model", cycle))
        began = time.perf_counter()
        predictions = predict(fitted, world.test.inputs, world.batch)
        metrics = evaluate(world.metrics, predictions, world.test.labels, world.classes)
        cost = {**fitted.cost, "evaluate_seconds": time.perf_counter() - began}
        if cycle == len(sizes):
            yield CycleRecord(cycle=cycle, labeled=len(labeled), metrics=metrics, cost=cost)
            return

        assert chooser is not None
        request = Request(size=sizes[cycle], cycle=cycle, cycles=len(sizes), seed=world.seed, batch=world.batch)
        answer = ask(chooser, fitted, world.oracle.inputs, labeled, pool, request)
        yield CycleRecord(
            cycle=cycle,
            labeled=len(labeled),
            metrics=metrics,
            diagnostics=answer.diagnostics,
            chosen=tuple(pool.ids[i] for i in answer.positions),
            scores=answer.scores,
            cost={**cost, **answer.cost},
        )
        pool = pool.label(answer.positions)
