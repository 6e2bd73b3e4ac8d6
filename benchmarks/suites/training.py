"""Training small models from scratch: against loops written by hand, skorch, scikit-learn, and one by one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch.utils.data import DataLoader, TensorDataset

from alharness import ModelShape, Task
from alharness.api.network import LEARNING_RATE, WEIGHT_DECAY, Batch
from alharness.models.linear.network import Linear
from alharness.models.linear.params import LinearParams
from benchmarks import before
from benchmarks.bench import Kernel, lap
from benchmarks.peers import skorch
from benchmarks.problems import Pool, Training
from benchmarks.rows import TRAINING, Row, at_most, faster, per_piece, within
from benchmarks.trainings import Before, stacked

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from benchmarks.bench import Bench, Call
    from benchmarks.rows import Bound

PROBLEM = Training(N=800, features={"text": 768, "audio": 25, "vision": 177}, members=25)
AV_MC = replace(PROBLEM, N=400, epochs=20, model="av_mc")
FEW = 5
"""Trainings one by one, enough to time one of them."""
VALIDATED = replace(PROBLEM, valid=647)  # as many as SIMSv2 has


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


STACKED = Kernel(name="Trainer.fit_many", prepare=stacked)
PLAIN = Kernel(name="a plain DataLoader loop", prepare=plain)
BARE = Kernel(name="a bare loop", prepare=bare)


def linear(problem: Pool) -> Call:
    """`linear` at its defaults."""
    x, labels = _labeled(problem)
    batch = Batch(inputs={"text": x}, labels={"text": labels, "fused": labels})
    shape = ModelShape(features={"text": problem.D}, task=Task.CLASSIFICATION, outputs=problem.C)

    def call() -> nn.Module:
        model = Linear(LinearParams(), shape)
        model.fit(batch, None)
        return model

    return call


def logistic_regression(problem: Pool) -> Call:
    """The same penalty and accuracy, on inputs that are standardized, too."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, labels = (tensor.numpy() for tensor in _labeled(problem))
    return lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x, labels)


def _labeled(problem: Pool) -> tuple[torch.Tensor, torch.Tensor]:
    data = problem.data()
    generator = torch.Generator().manual_seed(0)
    return data.pool, torch.multinomial(data.log_probabilities.exp(), 1, generator=generator)[:, 0]


def compare_linear(problem: Pool, milliseconds: float, bench: Bench) -> Row:
    """The model that is solved, and has no epochs."""
    problem = bench.at(problem)
    work = f"linear, {problem.N} x {problem.D}, {problem.C} classes"
    ours = Kernel(name="Linear.fit", prepare=linear)
    reference = Kernel(name="LogisticRegression", prepare=logistic_regression)
    row, _ = bench.compare(ours, reference, problem, work=work, group=TRAINING)
    return replace(row, bounds=(at_most("time", 1000 * row.ours.cpu, milliseconds, " ms"),))


def compare(
    problem: Training,
    reference: Kernel[Training],
    bound: Callable[[Row, float], Bound],
    times: float,
    bench: Bench,
) -> Row:
    """All begin with the same weights and take as many steps on as many samples, in orders of their own.

    The reference trains one model, which is what counts of our stack as well.
    """
    problem = bench.at(problem)
    row, _ = bench.compare(
        STACKED, reference, problem, work=_work(problem), group=TRAINING, pieces=problem.members
    )
    return replace(row, bounds=(bound(row, times),), notes=(_steps(row, problem),))


def compare_before(problem: Training, times: float, bench: Bench) -> Row:
    """Of the version before stacks a few trainings are enough."""
    problem = bench.at(problem)

    def prepare(problem: Training) -> Call:
        return Before(before.root(bench.before), replace(problem, members=min(problem.members, FEW)))

    one_by_one = Kernel(name=before.NAME, prepare=prepare, elsewhere=True)
    row, _ = bench.compare(
        STACKED, one_by_one, problem, work=_work(problem), group=TRAINING, pieces=problem.members
    )
    return replace(row, bounds=(faster(row, times),), notes=(_steps(row, problem),))


def memory(problem: Training, small: int, limit: float, bench: Bench) -> Row:
    """What a large stack takes more than a small one, for each member that it has more."""
    problem = bench.at(problem)
    sizes = [min(small, problem.members - 1), problem.members]
    taken = [bench.memory(STACKED, replace(problem, members=members)) for members in sizes]
    few, many = taken
    per_member = None if few is None or many is None else (many - few) / (sizes[1] - sizes[0])
    weights = sum(p.numel() * p.element_size() for p in problem.network().parameters()) / 1e6
    inputs = 4 * problem.N * sum(problem.features.values()) / 1e6
    return Row(
        work=f"{_work(problem)}, against one of {sizes[0]}",
        ours=replace(per_piece(lap(STACKED.ready(problem))[0], problem.members), memory=per_member),
        limit=f"weights {weights:.2g} MB, inputs {inputs:.2g} MB",
        bounds=(at_most("memory per member", per_member, limit, " MB"),),
        group=TRAINING,
    )


def _work(problem: Training) -> str:
    validation = f", validated {problem.epochs} times on {problem.valid}" if problem.valid else ""
    return (
        f"{problem.model}, {problem.N} samples, {problem.steps} steps of {problem.batch}{validation}, "
        f"in a stack of {problem.members}"
    )


def _steps(row: Row, problem: Training) -> str:
    sides = [(STACKED.name, row.ours), (row.reference, row.theirs)]
    steps = (f"{name} {1000 * cost.cpu / problem.steps:.3g} ms" for name, cost in sides if cost)
    return f"A step takes, of the processor: {', '.join(steps)}."


ROWS: dict[str, Callable[[Bench], Row]] = {
    "training, plain loop": partial(compare, PROBLEM, PLAIN, faster, 3),
    "training, skorch": partial(compare, PROBLEM, skorch.FIT, faster, 3),
    "training, skorch, validated": partial(compare, VALIDATED, skorch.FIT, faster, 5),
    "training, bare loop": partial(compare, PROBLEM, BARE, faster, 2),
    "training, bare loop, by itself": partial(compare, replace(PROBLEM, members=1), BARE, within, 3),
    "training, linear": partial(compare_linear, Pool(N=800, D=300, C=3), 10),
    "stack, av_mc": partial(compare_before, AV_MC, 3),
    "stack, late_fusion": partial(compare_before, replace(AV_MC, model="late_fusion"), 2.4),
    "stack, memory": partial(memory, replace(AV_MC, epochs=2, members=50, valid=647), 10, 3),
}
