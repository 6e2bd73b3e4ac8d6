"""CoreSet's k-center and BADGE's k-means++, against other people's programs and on pools of a million samples."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from alharness.kernels import k_center, k_means_plus_plus, pseudo_residuals
from benchmarks.bench import Kernel, shares, timed
from benchmarks.peers import badge_authors, bmdal_reg, scikit_activeml
from benchmarks.problems import Pool
from benchmarks.rows import Row, at_most, faster, same_picks

if TYPE_CHECKING:
    from benchmarks.bench import Bench, Call

POOL = Pool(N=17_000, D=768, k=500, C=7, L=200)
LARGE = Pool(N=1_000_000, D=128, k=1_000, L=200)
GHOST = (
    "The Badge of scikit-activeml 1.0.1 samples as if the origin had been picked too, and may give a sample twice "
    "(their issues 586 and 588): the row is about time only."
)


def prepare_k_center(problem: Pool) -> Call:
    """Our kernel, at its defaults."""
    data = problem.data()
    return lambda: k_center(data.pool, data.labeled, problem.k)


def prepare_badge(problem: Pool) -> Call:
    """All that the sampler does once it has predictions and embeddings."""
    data = problem.data()

    def call() -> torch.Tensor:
        uniforms = torch.rand(problem.N, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        return k_means_plus_plus(pseudo_residuals(data.log_probabilities), data.pool, problem.k, uniforms)

    return call


K_CENTER = Kernel(name="k_center", prepare=prepare_k_center)
BADGE = Kernel(name="k_means_plus_plus", prepare=prepare_badge)


def compare_k_center(peer: Kernel[Pool], times: float, bench: Bench) -> Row:
    """Both pick the same points."""
    problem = bench.at(POOL)
    work = f"k-center, N={problem.N:,}, D={problem.D}, k={problem.k}, {problem.L} centers"
    row, picks = bench.compare(K_CENTER, peer, problem, work=work)
    # A few blocks of 1,024 rows, of features and of distances: no copy of the pool, and not all distances.
    limit = 0.4 * 4 * POOL.N * POOL.D / 1e6
    bounds = (
        faster(row, times),
        same_picks(*picks),
        at_most("memory", row.ours.memory, round(limit, 1), " MB"),
        at_most("memory ~ N^b, b", bench.growth_of_memory(K_CENTER, problem, row.ours.memory), 1.1),
    )
    return replace(row, bounds=bounds)


def compare_badge(peer: Kernel[Pool], times: float, notes: tuple[str, ...], bench: Bench) -> Row:
    """Everyone draws with random numbers of their own, so picks differ."""
    problem = bench.at(POOL)
    work = f"BADGE, N={problem.N:,}, D={problem.D}, C={problem.C}, k={problem.k}"
    row, _ = bench.compare(BADGE, peer, problem, work=work)
    bounds = (faster(row, times), at_most("memory", row.ours.memory, 60, " MB"))
    return replace(row, bounds=bounds, notes=notes)


def grow(name: str, ours: Kernel[Pool], bench: Bench) -> Row:
    """The time at an eighth, a quarter and a half of the pool as well."""
    problem = bench.at(LARGE)
    sizes = [problem.N // 8, problem.N // 4, problem.N // 2, problem.N]
    costs = [timed(ours, problem.of_size(N)) for N in sizes]
    slope = float(np.polyfit(np.log(sizes), np.log([cost.cpu for cost in costs]), 1)[0])
    times = ", ".join(f"{cost.cpu:.3g} s of {N:,}" for N, cost in zip(sizes, costs, strict=True))
    memory = bench.memory(ours, problem)
    return Row(
        work=f"{name}, N={problem.N:,}, D={problem.D}, k={problem.k:,}",
        ours=replace(costs[-1], memory=memory),
        limit=shares(ours.ready(problem)),
        bounds=(at_most("memory", memory, 2000, " MB"), at_most("time ~ N^b, b", slope, 1.1)),
        notes=(f"{name} takes {times}.",),
    )


ROWS = {
    "BADGE, the authors": partial(compare_badge, badge_authors.AUTHORS, 2, ()),
    "BADGE, bmdal_reg": partial(compare_badge, bmdal_reg.KMEANSPP, 2, ()),
    "BADGE, scikit-activeml": partial(compare_badge, scikit_activeml.BADGE, 40, (GHOST,)),
    "k-center, bmdal_reg": partial(compare_k_center, bmdal_reg.MAXDIST, 2),
    "k-center, scikit-activeml": partial(compare_k_center, scikit_activeml.CORE_SET, 6),
    "large pool, CoreSet": partial(grow, "CoreSet", K_CENTER),
    "large pool, BADGE": partial(grow, "BADGE", BADGE),
}
