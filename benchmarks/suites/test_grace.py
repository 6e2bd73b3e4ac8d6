"""GRACE, Eq. 5: sums of distances over all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.kernels import sum_of_distances
from benchmarks import floors
from benchmarks.kernels import Call, Kernel
from benchmarks.problems import Pool
from benchmarks.rows import at_most, within

if TYPE_CHECKING:
    from benchmarks.bench import Bench

PROBLEM = Pool(N=17_230, D=128, members=6)


def prepare(problem: Pool) -> Call:
    """Eq. 5 before it is normalized."""
    members = [problem.data(member).pool for member in range(problem.members)]
    return lambda: sum(sum_of_distances(X) for X in members)


OURS = Kernel(name="GRACE Eq. 5", prepare=prepare)
FLOOR = Kernel(name="bare products and square roots", prepare=floors.all_distances)


def test_all_distances(bench: Bench) -> None:
    """Half of all pairs, once each."""
    problem = bench.at(PROBLEM)
    found = bench.compare(OURS, FLOOR, problem)
    # O(N + block²), with 40 and 24 bytes; a copy of one member would take twice that.
    limit = (40 * PROBLEM.N + 24 * floors.BLOCK**2) / 1e6
    bench.record(
        found.row(
            work=f"GRACE Eq. 5, N={problem.N:,}, {problem.members} members of D={problem.D}",
            bounds=(
                within(found.ours, found.theirs, 2),
                at_most("memory", found.ours.memory, round(limit, 1), " MB"),
                at_most("memory ~ N^b, b", bench.growth_of_memory(OURS, problem), 1.1),
            ),
            notes=(bench.on_two_threads(OURS, FLOOR, problem),),
        )
    )
