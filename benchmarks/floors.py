"""The bare arithmetic that an algorithm cannot do without: what is left for a kernel to lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from .kernels import Call
    from .problems import Pool

BLOCK = 768
"""Rows of a block, as in the kernel that is measured."""
UNITS = 128
"""Hidden units of the graph network."""


def all_distances(problem: Pool) -> Call:
    """Every pair once: products of block rows, and square roots of them; nothing is added up."""
    # Products of positive rows are positive: a square root of a negative number takes five times as long.
    members = [problem.data(member).pool.abs_() for member in range(problem.members)]
    scratch = torch.empty(BLOCK * BLOCK)

    def call() -> None:
        for X in members:
            blocks = [X[start : start + BLOCK] for start in range(0, len(X), BLOCK)]
            for i, rows in enumerate(blocks):
                for columns in blocks[i:]:
                    out = scratch[: len(rows) * len(columns)].view(len(rows), len(columns))
                    torch.mm(rows, columns.T, out=out).sqrt_()

    return call


def graph_network(problem: Pool) -> Call:
    """The products of `problem.k` training steps of GCNAL's network, forth and back, and of its inputs."""
    data = problem.data()
    X = torch.cat([data.pool, data.labeled])
    generator = torch.Generator().manual_seed(0)
    W1, W2 = torch.randn(problem.D, UNITS, generator=generator), torch.randn(UNITS, generator=generator)
    v, hidden = torch.randn(len(X), generator=generator), torch.empty(len(X), UNITS)

    def call() -> None:
        torch.mm(X, torch.mm(X.T, X))
        for _ in range(problem.k):
            torch.mv(torch.mm(X, W1, out=hidden), W2)
            for _ in range(2):  # the second layer propagates, and its gradient
                torch.mv(X, torch.mv(X.T, v))
            torch.mv(hidden.T, v)
            torch.mm(X.T, hidden)
        torch.mm(X, W1, out=hidden)

    return call
