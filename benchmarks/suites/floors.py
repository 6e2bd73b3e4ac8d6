"""GRACE and GCNAL against floors: the bare arithmetic that an algorithm cannot do without."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from alharness.kernels import sum_of_distances
from alharness_gcnal.graph import connect, unit_rows
from alharness_gcnal.network import labeled_from_unlabeled, train
from alharness_gcnal.plugin import GcnalParams
from benchmarks.bench import Kernel, on_two_threads
from benchmarks.problems import Pool
from benchmarks.rows import at_most, within

if TYPE_CHECKING:
    from benchmarks.bench import Bench, Call
    from benchmarks.rows import Row

GRACE = Pool(N=17_230, D=128, members=6)
GCNAL = Pool(N=17_030, D=128, k=200, L=200)
BLOCK = 768
"""Rows of a block, as in the kernel of GRACE."""
UNITS = 128
"""Hidden units of the graph network of GCNAL."""


def prepare_grace(problem: Pool) -> Call:
    """Eq. 5 before it is normalized: sums of distances over all pairs."""
    members = [problem.data(member).pool for member in range(problem.members)]
    return lambda: sum(sum_of_distances(X) for X in members)


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


def prepare_gcnal(problem: Pool) -> Call:
    """The graph, `problem.k` steps of training, and the hidden features that CoreGCN picks by."""
    data = problem.data()
    features = torch.cat([data.pool, data.labeled])
    params = GcnalParams(hidden=UNITS, steps=problem.k)

    def call() -> torch.Tensor:
        X = unit_rows(features)
        A = connect(X, params.affinity)
        AX = A @ X
        loss = labeled_from_unlabeled(problem.N, problem.L, params.loss_weight, X)
        return train(A, AX, loss, params, np.random.default_rng(0)).hidden(AX)

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


EQ_5 = Kernel(name="GRACE Eq. 5", prepare=prepare_grace)
PAIRS = Kernel(name="bare products and square roots", prepare=all_distances)
NETWORK = Kernel(name="GCNAL", prepare=prepare_gcnal)
PRODUCTS = Kernel(name="bare matrix products", prepare=graph_network)


def compare_grace(bench: Bench) -> Row:
    """Half of all pairs, once each."""
    problem = bench.at(GRACE)
    work = f"GRACE Eq. 5, N={problem.N:,}, {problem.members} members of D={problem.D}"
    row, _ = bench.compare(EQ_5, PAIRS, problem, work=work)
    # O(N + block²), with 40 and 24 bytes; a copy of one member would take twice that.
    limit = (40 * GRACE.N + 24 * BLOCK**2) / 1e6
    bounds = (
        within(row, 2),
        at_most("memory", row.ours.memory, round(limit, 1), " MB"),
        at_most("memory ~ N^b, b", bench.growth_of_memory(EQ_5, problem, row.ours.memory), 1.1),
    )
    return replace(row, bounds=bounds, notes=(on_two_threads(EQ_5, PAIRS, problem),))


def compare_gcnal(bench: Bench) -> Row:
    """The published form multiplies N × N matrices; in factors there is none."""
    problem = bench.at(GCNAL)
    nodes = problem.N + problem.L
    work = f"GCNAL, N={nodes:,}, D={problem.D}, {UNITS} units, {problem.k} steps"
    row, _ = bench.compare(NETWORK, PRODUCTS, problem, work=work)
    growth = bench.growth_of_memory(NETWORK, problem, row.ours.memory)
    notes = (
        f"An N × N matrix of float32 would take {4 * nodes**2 / 1e6:,.0f} MB in GCNAL.",
        on_two_threads(NETWORK, PRODUCTS, problem),
    )
    return replace(row, bounds=(within(row, 2), at_most("memory ~ N^b, b", growth, 1.1)), notes=notes)


ROWS = {"GRACE": compare_grace, "GCNAL": compare_gcnal}
