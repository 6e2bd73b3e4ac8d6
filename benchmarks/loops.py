"""Training loops written by hand: as people write them, and with nothing that could be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.utils.data import DataLoader, TensorDataset

from alharness.api.network import LEARNING_RATE, WEIGHT_DECAY, Batch

from .kernels import Kernel

if TYPE_CHECKING:
    from torch import nn

    from .kernels import Call
    from .training import Training


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
            order = torch.randperm(problem.N)
            inputs = {m: x[order] for m, x in data.inputs.items()}
            labels = {s: y[order] for s, y in data.labels.items()}
            for start in range(0, problem.N, problem.batch):
                rows = slice(start, start + problem.batch)
                batch = Batch(
                    inputs={m: x[rows] for m, x in inputs.items()},
                    labels={s: y[rows] for s, y in labels.items()},
                )
                optimizer.zero_grad()
                network.loss(batch).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
        return network

    return call


PLAIN = Kernel(name="a plain DataLoader loop", prepare=plain)
BARE = Kernel(name="a bare loop", prepare=bare)
