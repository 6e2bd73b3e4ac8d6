"""CoreSet: k-center greedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alharness.kernels import k_center
from benchmarks.kernels import Call, Kernel
from benchmarks.peers import bmdal_reg, scikit_activeml
from benchmarks.problems import Pool
from benchmarks.rows import at_most, faster, same_picks

if TYPE_CHECKING:
    from benchmarks.bench import Bench

PROBLEM = Pool(N=17_000, D=768, k=500, L=200)


def prepare(problem: Pool) -> Call:
    """Our kernel, at its defaults."""
    data = problem.data()
    return lambda: k_center(data.pool, data.labeled, problem.k)


OURS = Kernel(name="k_center", prepare=prepare)


@pytest.mark.parametrize(("peer", "times"), [(bmdal_reg.MAXDIST, 2), (scikit_activeml.CORE_SET, 6)])
def test_k_center(bench: Bench, peer: Kernel[Pool], times: float) -> None:
    """Both pick the same points."""
    problem = bench.at(PROBLEM)
    found = bench.compare(OURS, peer, problem)
    # A few blocks of 1,024 rows, of features and of distances: no copy of the pool, and not all distances.
    limit = 0.4 * 4 * PROBLEM.N * PROBLEM.D / 1e6
    bench.record(
        found.row(
            work=f"k-center, N={problem.N:,}, D={problem.D}, k={problem.k}, {problem.L} centers",
            bounds=(
                faster(found.ours, found.theirs, times),
                same_picks(found.our_result, found.their_result),
                at_most("memory", found.ours.memory, round(limit, 1), " MB"),
                at_most("memory ~ N^b, b", bench.growth_of_memory(OURS, problem), 1.1),
            ),
        )
    )
