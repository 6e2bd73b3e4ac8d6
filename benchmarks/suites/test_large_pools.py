"""Pools up to a million samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.bench import timed
from benchmarks.problems import Pool
from benchmarks.rows import Row, at_most

from . import test_badge, test_k_center

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.kernels import Kernel

PROBLEM = Pool(N=1_000_000, D=128, k=1_000, L=200)


@pytest.mark.parametrize(("name", "ours"), [("CoreSet", test_k_center.OURS), ("BADGE", test_badge.OURS)])
def test_growth(bench: Bench, name: str, ours: Kernel[Pool]) -> None:
    """The time at an eighth, a quarter and a half of the pool as well."""
    problem = bench.at(PROBLEM)
    sizes = [problem.N // 8, problem.N // 4, problem.N // 2, problem.N]
    costs = [timed(ours, problem.of_size(N)) for N in sizes[:-1]]
    costs.append(bench.measure(ours, problem))
    slope = float(np.polyfit(np.log(sizes), np.log([cost.cpu for cost in costs]), 1)[0])
    times = ", ".join(f"{cost.cpu:.3g} s of {N:,}" for N, cost in zip(sizes, costs, strict=True))
    bench.record(
        Row(
            work=f"{name}, N={problem.N:,}, D={problem.D}, k={problem.k:,}",
            reference="",
            ours=costs[-1],
            limit=bench.limit(ours, problem),
            bounds=(
                at_most("memory", costs[-1].memory, 2000, " MB"),
                at_most("time ~ N^b, b", slope, 1.1),
            ),
            notes=(f"{name} takes {times}.",),
        )
    )
