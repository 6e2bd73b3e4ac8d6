"""How often samplers beat each other along the curve: the pairwise penalty matrix (Ash et al., ICLR 2020)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from .significance import difference, holm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .scores import Scores
    from .significance import Difference

SATURATED = 0.99
"""Checkpoints end where Random has this share of its final value."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Penalties:
    """The matrix of one setting.

    Attributes:
        labels: samplers, of rows and columns.
        matrix: (k, k): share of the checkpoints at which the row's sampler is significantly better than the
            column's.
        checkpoints: the labeled counts that were looked at.
        tests: differences that were tested, the family of Holm's correction.
        seeds: the smallest number of seeds of any of these tests.
    """

    labels: tuple[str, ...]
    matrix: NDArray[np.float64]
    checkpoints: tuple[int, ...]
    tests: int
    seeds: int

    @property
    def column_means(self) -> NDArray[np.float64]:
        """How often each is beaten, averaged over the others; lower is better."""
        others = max(len(self.labels) - 1, 1)
        mean: NDArray[np.float64] = self.matrix.sum(axis=0) / others
        return mean


def checkpoints(labeled: Sequence[int], random: NDArray[np.float64], *, lower_is_better: bool) -> list[int]:
    """Cycles 1, 2, 4, 8, ... while Random's mean curve (cycles,) is not yet at 99 % of its final value.

    Ash et al. also count cycle 0. Here all samplers of a seed share its model, so that it cannot tell them apart.
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


def penalties(scores: Scores, random: str, labels: Sequence[str]) -> Penalties:
    """The matrix over these samplers, with Holm's correction over all pairs and checkpoints."""
    curve = np.array(list(scores.curves[random].values()), float).mean(axis=0)
    cycles = checkpoints(scores.labeled, curve, lower_is_better=scores.lower_is_better)
    pairs = list(combinations(range(len(labels)), 2))
    found: dict[tuple[int, int, int], Difference] = {
        (i, j, cycle): _at(scores, labels[i], labels[j], cycle) for i, j in pairs for cycle in cycles
    }
    adjusted = holm([d.p for d in found.values()])
    matrix = np.zeros((len(labels), len(labels)))
    for ((i, j, _), d), p in zip(found.items(), adjusted, strict=True):
        if replace(d, adjusted=p).significant:
            winner, loser = (i, j) if d.value > 0 else (j, i)
            matrix[winner, loser] += 1 / len(cycles)
    return Penalties(
        labels=tuple(labels),
        matrix=matrix,
        checkpoints=tuple(scores.labeled[cycle] for cycle in cycles),
        tests=int(np.count_nonzero(~np.isnan(adjusted))),
        seeds=min((d.n for d in found.values()), default=0),
    )


def _at(scores: Scores, one: str, other: str, cycle: int) -> Difference:
    a, b = scores.pair(one, other)
    return difference(a[:, cycle], b[:, cycle], lower_is_better=scores.lower_is_better)
