"""BADGE: k-means++ on gradients of the last layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from alharness.kernels import k_means_plus_plus, pseudo_residuals
from benchmarks.kernels import Call, Kernel
from benchmarks.peers import badge_authors, bmdal_reg, scikit_activeml
from benchmarks.problems import Pool
from benchmarks.rows import at_most, faster

if TYPE_CHECKING:
    from benchmarks.bench import Bench

PROBLEM = Pool(N=17_000, D=768, k=500, C=7)
GHOST = (
    "The Badge of scikit-activeml 1.0.1 samples as if the origin had been picked too, and may give a sample twice "
    "(their issues 586 and 588): the row is about time only."
)
PEERS = [(badge_authors.AUTHORS, 2, ()), (bmdal_reg.KMEANSPP, 2, ()), (scikit_activeml.BADGE, 40, (GHOST,))]


def prepare(problem: Pool) -> Call:
    """All that the sampler does once it has predictions and embeddings."""
    data = problem.data()

    def call() -> torch.Tensor:
        uniforms = torch.rand(problem.N, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        return k_means_plus_plus(pseudo_residuals(data.log_probabilities), data.pool, problem.k, uniforms)

    return call


OURS = Kernel(name="k_means_plus_plus", prepare=prepare)


@pytest.mark.parametrize(("peer", "times", "notes"), PEERS)
def test_badge(bench: Bench, peer: Kernel[Pool], times: float, notes: tuple[str, ...]) -> None:
    """Everyone draws with random numbers of their own, so picks differ."""
    problem = bench.at(PROBLEM)
    found = bench.compare(OURS, peer, problem)
    bench.record(
        found.row(
            work=f"BADGE, N={problem.N:,}, D={problem.D}, C={problem.C}, k={problem.k}",
            bounds=(
                faster(found.ours, found.theirs, times),
                at_most("memory", found.ours.memory, 60, " MB"),
            ),
            notes=notes,
        )
    )
