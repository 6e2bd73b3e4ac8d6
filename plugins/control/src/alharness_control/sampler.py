"""The control: a greedy choice by what is known of every sample of made-up data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alharness import Sampler

from .plugin import NEEDED

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from alharness import Query, View

    Array = NDArray[Any]


class Control(Sampler):
    """Lowers Σ_c m_c / (1 + V_c): the error that is left if that of a cell falls with what is known of it.

    A cell holds the samples of a region that have the same value: others teach something else. V_c is the sum of
    the values of labeled samples of cell c, and m_c that of all its samples. Of near copies only the one with the
    largest value counts. Each pick is the one that lowers the sum most. So cells of equal value get labels in
    proportion to the root of their size, more valuable ones get more, and outliers, wrong labels and near copies
    of what is labeled come last.
    """

    def select(self, query: Query) -> list[int]:
        """The picks in their order; ties at random."""
        value, original, region = _read(query.unlabeled)
        known_value, known_original, known_region = _read(query.labeled)
        known_cell, cell = _numbered((known_region, known_value), (region, value))

        order = query.rng.permutation(len(value))
        order = order[np.argsort(-value[order], kind="stable")]
        firsts = order[np.sort(np.unique(original[order], return_index=True)[1])]
        taught = known_original[known_value > 0]
        new = firsts[~np.isin(original[firsts], taught) & (value[firsts] > 0)]
        best_first = np.lexsort((-known_value, known_original))
        once = best_first[np.unique(known_original[best_first], return_index=True)[1]]

        known = np.bincount(known_cell[once], known_value[once], minlength=1 + cell.max(initial=0))
        mass = known + np.bincount(cell[new], value[new], minlength=len(known))
        picks = new[_greedy(value[new], cell[new], known, mass, query.size)]
        rest = order[~np.isin(order, picks)]
        return [int(i) for i in (*picks, *rest[: query.size - len(picks)])]


def _read(view: View) -> tuple[Array, Array, Array]:
    value, original, region = (view.truth(name).cpu().numpy() for name in NEEDED)
    return value.astype(np.float64), original, region


def _numbered(*sides: tuple[Array, Array]) -> list[Array]:
    """The number of each sample's cell, for each side of the pool, from its regions and values."""
    pairs = np.concatenate([np.stack(side, axis=1, dtype=np.float64) for side in sides])
    _, cells = np.unique(pairs, axis=0, return_inverse=True)
    return np.split(cells.ravel(), [len(sides[0][0])])


def _greedy(value: Array, cell: Array, known: Array, mass: Array, size: int) -> Array:
    """Positions of the picks, at most `size`, among samples that are ordered by value, the largest first.

    Args:
        value: (n,) of each sample.
        cell: (n,) of each sample, a number below C.
        known: (C,) sum of the values of labeled samples.
        mass: (C,) sum of the values of all samples.
        size: how many.
    """
    by_cell = np.argsort(cell, kind="stable")
    ends = np.searchsorted(cell[by_cell], np.arange(len(known)), side="right")
    heads = np.searchsorted(cell[by_cell], np.arange(len(known)), side="left")
    known, picks = known.copy(), []
    for _ in range(min(size, len(value))):
        left = heads < ends
        head = by_cell[heads[left]]
        gains = mass[left] * (1 / (1 + known[left]) - 1 / (1 + known[left] + value[head]))
        place = np.flatnonzero(left)[np.argmax(gains)]
        pick = by_cell[heads[place]]
        known[place] += value[pick]
        heads[place] += 1
        picks.append(pick)
    return np.array(picks, np.int64)
