"""GCNAL: the graph network over the whole pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from alharness_gcnal.graph import connect, unit_rows
from alharness_gcnal.network import labeled_from_unlabeled, train
from alharness_gcnal.params import GcnalParams
from benchmarks import floors
from benchmarks.kernels import Call, Kernel
from benchmarks.problems import Pool
from benchmarks.rows import at_most, within

if TYPE_CHECKING:
    from benchmarks.bench import Bench

PROBLEM = Pool(N=17_030, D=128, k=200, L=200)


def prepare(problem: Pool) -> Call:
    """The graph, `problem.k` steps of training, and the hidden features that CoreGCN picks by."""
    data = problem.data()
    features = torch.cat([data.pool, data.labeled])
    params = GcnalParams(hidden=floors.UNITS, steps=problem.k)

    def call() -> torch.Tensor:
        X = unit_rows(features)
        A = connect(X, params.affinity)
        AX = A @ X
        loss = labeled_from_unlabeled(problem.N, problem.L, params.loss_weight, X)
        return train(A, AX, loss, params, np.random.default_rng(0)).hidden(AX)

    return call


OURS = Kernel(name="GCNAL", prepare=prepare)
FLOOR = Kernel(name="bare matrix products", prepare=floors.graph_network)


def test_graph_network(bench: Bench) -> None:
    """The published form multiplies N × N matrices; in factors there is none."""
    problem = bench.at(PROBLEM)
    found = bench.compare(OURS, FLOOR, problem)
    nodes = problem.N + problem.L
    bench.record(
        found.row(
            work=f"GCNAL, N={nodes:,}, D={problem.D}, {floors.UNITS} units, {problem.k} steps",
            bounds=(
                within(found.ours, found.theirs, 2),
                at_most("memory ~ N^b, b", bench.growth_of_memory(OURS, problem), 1.1),
            ),
            notes=(
                f"An N × N matrix of float32 would take {4 * nodes**2 / 1e6:,.0f} MB in GCNAL.",
                bench.on_two_threads(OURS, FLOOR, problem),
            ),
        )
    )
