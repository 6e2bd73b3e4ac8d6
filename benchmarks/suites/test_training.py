"""Training a small network from scratch, step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from alharness.engine.training import Trainer
from alharness.spec.settings import TrainingSettings
from benchmarks.kernels import Call, Kernel
from benchmarks.loops import BARE, PLAIN
from benchmarks.peers import skorch
from benchmarks.rows import TRAINING, faster, within
from benchmarks.training import Training

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench
    from benchmarks.rows import Bound, Cost

PROBLEM = Training(N=800, features={"text": 768, "audio": 25, "vision": 177})
VALIDATED = replace(PROBLEM, valid=647)  # as many as SIMSv2 has


def prepare(problem: Training) -> Call:
    """What the harness does for every cycle of a cell."""
    samples = problem.samples()
    settings = TrainingSettings(
        epochs=problem.epochs,
        batch_size=problem.batch,
        patience=problem.epochs,
        stop_on="loss",
        device="cpu",
    )
    trainer, valid = Trainer(problem.network, settings), problem.validation()
    ready = None if valid is None else trainer.validation(valid)
    return lambda: trainer.fit(samples, 0, ready).model


OURS = Kernel(name="Trainer.fit", prepare=prepare)


@pytest.mark.parametrize(
    ("problem", "reference", "bound", "times"),
    [
        (PROBLEM, PLAIN, faster, 1.6),
        (PROBLEM, skorch.FIT, faster, 1.6),
        (VALIDATED, skorch.FIT, faster, 3),
        (PROBLEM, BARE, within, 1.15),
    ],
)
def test_training(
    bench: Bench,
    problem: Training,
    reference: Kernel[Training],
    bound: Callable[[Cost, Cost | None, float], Bound],
    times: float,
) -> None:
    """All begin with the same weights and take as many steps on the same samples, in orders of their own."""
    problem = bench.at(problem)
    found = bench.compare(OURS, reference, problem)
    sides = [(OURS.name, found.ours), (found.reference, found.theirs)]
    steps = (f"{name} {1000 * cost.cpu / problem.steps:.3g} ms" for name, cost in sides if cost)
    validation = f", validated {problem.epochs} times on {problem.valid}" if problem.valid else ""
    bench.record(
        found.row(
            group=TRAINING,
            work=f"late_fusion, {problem.N} samples, {problem.steps} steps of {problem.batch}{validation}",
            bounds=(bound(found.ours, found.theirs, times),),
            notes=(f"A step takes, of the processor: {', '.join(steps)}.",),
        )
    )
