"""How often samplers beat each other along the curve: the pairwise penalty matrix (Ash et al., ICLR 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from .statistics import ENOUGH, corrected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .run import RunResults
    from .statistics import Difference

SATURATED = 0.99
"""Checkpoints end when Random has this share of its final value."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Penalties:
    """The matrix of one setting.

    Attributes:
        labels: samplers, of rows and columns.
        matrix: (k, k): share of the checkpoints at which the row's sampler is significantly better than the
            column's.
        tested: (k, k) whether the two share enough seeds for a test.
        checkpoints: the labeled counts that were looked at.
        tests: differences that were tested, the family of the correction.
        seeds: the smallest number of seeds of any of these tests.
    """

    labels: tuple[str, ...]
    matrix: NDArray[np.float64]
    tested: NDArray[np.bool_]
    checkpoints: tuple[int, ...]
    tests: int
    seeds: int

    @property
    def column_means(self) -> NDArray[np.float64]:
        """How often each is beaten, averaged over the others that it was tested against; NaN without any."""
        others = self.tested.sum(axis=0)
        mean: NDArray[np.float64] = np.where(others > 0, self.matrix.sum(axis=0) / np.maximum(others, 1), np.nan)
        return mean


def checkpoints(labeled: Sequence[int], random: NDArray[np.float64], *, lower_is_better: bool) -> list[int]:
    """Cycles 1, 2, 4, 8, ... while Random's mean curve (cycles,) is not yet at 99 % of its final value.

    Ash et al. also count cycle 0. Here all samplers of a seed share its model, so it cannot distinguish them.
    Of metrics that fall, the final value divided by 0.99 ends them.
    """
    found: list[int] = []
    cycle = 1
    while cycle < len(labeled):
        final = random[-1]
        done = random[cycle] < final / SATURATED if lower_is_better else random[cycle] > SATURATED * final
        if done and found:
            break
        found.append(cycle)
        cycle *= 2
    return found


def penalties(settings: Sequence[RunResults], labels: Sequence[str]) -> Penalties:
    """The matrices of one or several runs added up, all their tests in one family of the correction.

    The noise of a test is estimated from all pairs of its run at its checkpoint.

    Args:
        settings: runs that have Random.
        labels: samplers of rows and columns.
    """
    looked_at: list[list[int]] = []
    tests: dict[tuple[int, int, int, int], Difference] = {}
    for number, one in enumerate(settings):
        random, _ = one.pair(str(one.random), str(one.random))
        cycles = checkpoints(one.labeled, random.mean(axis=0), lower_is_better=one.lower_is_better)
        looked_at.append(cycles)
        rows = one.by_seed(one.curves)
        for cycle in cycles:
            found = one.compare({x: row[:, cycle] for x, row in rows.items()}, combinations(labels, 2))
            tests |= {(number, labels.index(a), labels.index(b), cycle): d for (a, b), d in found.items()}
    tests = corrected(tests)
    matrix = np.zeros((len(labels), len(labels)))
    tested = np.zeros((len(labels), len(labels)), bool)
    for (number, i, j, _), d in tests.items():
        tested[i, j] |= d.n >= ENOUGH
        matrix[i, j] += d.better / len(looked_at[number])
        matrix[j, i] += d.worse / len(looked_at[number])
    family = [d.n for d in tests.values() if not np.isnan(d.p)]
    return Penalties(
        labels=tuple(labels),
        matrix=matrix,
        tested=tested | tested.T,
        checkpoints=tuple(settings[0].labeled[cycle] for cycle in looked_at[0]) if len(settings) == 1 else (),
        tests=len(family),
        seeds=min(family, default=0),
    )
