"""Training a small network from scratch, against loops written by hand and against skorch."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch.utils.data import DataLoader, TensorDataset

from alharness.api.network import LEARNING_RATE, WEIGHT_DECAY, Batch
from alharness.engine.training import Trainer
from alharness.spec.settings import TrainingSettings
from benchmarks.bench import Kernel
from benchmarks.peers import skorch
from benchmarks.problems import Training
from benchmarks.rows import TRAINING, faster, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from benchmarks.bench import Bench, Call
    from benchmarks.rows import Bound, Row

PROBLEM = Training(N=800, features={"text": 768, "audio": 25, "vision": 177})
VALIDATED = replace(PROBLEM, valid=647)  # as many as SIMSv2 has


def ours(problem: Training) -> Call:
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


def plain(problem: Training) -> Call:
    """A loader that shuffles, Adam at its defaults, and the loss of each step added up as a number."""
    samples = problem.samples()

    def call() -> nn.Module:
        network, data = problem.start(samples)
        inputs, labels = list(data.inputs), list(data.labels)
        dataset = TensorDataset(*data.inputs.values(), *data.labels.values())
        loader = DataLoader(dataset, batch_size=problem.batch, shuffle=True)
        optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
        network.train()
        for _ in range(problem.epochs):
            total = 0.0
            for tensors in loader:
                x, y = tensors[: len(inputs)], tensors[len(inputs) :]
                batch = Batch(
                    inputs=dict(zip(inputs, x, strict=True)),
                    labels=dict(zip(labels, y, strict=True)),
                )
                optimizer.zero_grad()
                loss = network.loss(batch)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                total += loss.item()
        return network

    return call


def bare(problem: Training) -> Call:
    """Rows gathered once an epoch and cut into slices, the fused Adam of the model's recipe, and nothing else."""
    samples = problem.samples()

    def call() -> nn.Module:
        network, data = problem.start(samples)
        optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
        network.train()
        for _ in range(problem.epochs):
            for batch in data.take(torch.randperm(problem.N)).parts(problem.batch):
                optimizer.zero_grad()
                network.loss(batch).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
        return network

    return call


OURS = Kernel(name="Trainer.fit", prepare=ours)
PLAIN = Kernel(name="a plain DataLoader loop", prepare=plain)
BARE = Kernel(name="a bare loop", prepare=bare)


def compare(
    problem: Training,
    reference: Kernel[Training],
    bound: Callable[[Row, float], Bound],
    times: float,
    bench: Bench,
) -> Row:
    """All begin with the same weights and take as many steps on the same samples, in orders of their own."""
    problem = bench.at(problem)
    validation = f", validated {problem.epochs} times on {problem.valid}" if problem.valid else ""
    work = f"late_fusion, {problem.N} samples, {problem.steps} steps of {problem.batch}{validation}"
    row, _ = bench.compare(OURS, reference, problem, work=work, group=TRAINING)
    sides = [(OURS.name, row.ours), (row.reference, row.theirs)]
    steps = (f"{name} {1000 * cost.cpu / problem.steps:.3g} ms" for name, cost in sides if cost)
    notes = (f"A step takes, of the processor: {', '.join(steps)}.",)
    return replace(row, bounds=(bound(row, times),), notes=notes)


ROWS = {
    "training, plain loop": partial(compare, PROBLEM, PLAIN, faster, 1.6),
    "training, skorch": partial(compare, PROBLEM, skorch.FIT, faster, 1.6),
    "training, skorch, validated": partial(compare, VALIDATED, skorch.FIT, faster, 3),
    "training, bare loop": partial(compare, PROBLEM, BARE, within, 1.15),
}
