"""How often samplers beat each other along the curve: the pairwise penalty matrix (Ash et al., ICLR 2020)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from .statistics import ENOUGH, difference, holm

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
        tests: differences that were tested, the family of Holm's correction.
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
    """The matrices of one or several runs added up, all their tests in one family of Holm's correction.

    Args:
        settings: runs that have Random.
        labels: samplers of rows and columns.
    """
    found: list[tuple[int, int, int, Difference]] = []
    for one in settings:
        cycles = _checkpoints(one)
        for i, j in combinations(range(len(labels)), 2):
            a, b = one.pair(labels[i], labels[j])
            tests = (difference(a[:, c], b[:, c], lower_is_better=one.lower_is_better) for c in cycles)
            found += [(i, j, len(cycles), test) for test in tests]
    adjusted = holm([d.p for *_, d in found])
    matrix = np.zeros((len(labels), len(labels)))
    tested = np.zeros((len(labels), len(labels)), bool)
    for (i, j, count, d), p in zip(found, adjusted, strict=True):
        tested[i, j] |= d.n >= ENOUGH
        tested[j, i] = tested[i, j]
        corrected = replace(d, adjusted=p)
        matrix[i, j] += corrected.better / count
        matrix[j, i] += corrected.worse / count
    return Penalties(
        labels=tuple(labels),
        matrix=matrix,
        tested=tested,
        checkpoints=tuple(settings[0].labeled[c] for c in _checkpoints(settings[0])) if len(settings) == 1 else (),
        tests=int(np.count_nonzero(~np.isnan(adjusted))),
        seeds=min((d.n for *_, d in found if not np.isnan(d.p)), default=0),
    )


def _checkpoints(results: RunResults) -> list[int]:
    random, _ = results.pair(str(results.random), str(results.random))
    return checkpoints(results.labeled, random.mean(axis=0), lower_is_better=results.lower_is_better)
