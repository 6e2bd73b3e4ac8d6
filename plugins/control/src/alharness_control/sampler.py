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
    """Lowers Σ_r m_r / (1 + V_r): the error that is left if that of a region falls with what is known of it.

    V_r is the sum of the values of labeled samples of region r, and m_r that of all its samples. Of near copies
    only the one with the largest value counts. Each pick is the one that lowers the sum most. So regions get
    labels in proportion to the root of their size, the most valuable samples come first, and outliers, wrong
    labels and near copies of what is labeled come last.
    """

    def select(self, query: Query) -> list[int]:
        """The picks in their order; ties at random."""
        value, original, region = _read(query.unlabeled)
        known_value, known_original, known_region = _read(query.labeled)
        _, region = np.unique(np.concatenate([known_region, region]), return_inverse=True)
        known_region, region = np.split(region, [len(known_region)])

        order = query.rng.permutation(len(value))
        order = order[np.argsort(-value[order], kind="stable")]
        firsts = order[np.sort(np.unique(original[order], return_index=True)[1])]
        taught = known_original[known_value > 0]
        new = firsts[~np.isin(original[firsts], taught) & (value[firsts] > 0)]
        best_first = np.lexsort((-known_value, known_original))
        once = best_first[np.unique(known_original[best_first], return_index=True)[1]]

        known = np.bincount(known_region[once], known_value[once], minlength=1 + region.max(initial=0))
        mass = known + np.bincount(region[new], value[new], minlength=len(known))
        picks = new[_greedy(value[new], region[new], known, mass, query.size)]
        rest = order[~np.isin(order, picks)]
        return [int(i) for i in (*picks, *rest[: query.size - len(picks)])]


def _read(view: View) -> tuple[Array, Array, Array]:
    value, original, region = (view.truth(name).cpu().numpy() for name in NEEDED)
    return value.astype(np.float64), original, region


def _greedy(value: Array, region: Array, known: Array, mass: Array, size: int) -> Array:
    """Positions of the picks, at most `size`, among samples that are ordered by value, the largest first.

    Args:
        value: (n,) of each sample.
        region: (n,) of each sample, a number below R.
        known: (R,) sum of the values of labeled samples.
        mass: (R,) sum of the values of all samples.
        size: how many.
    """
    by_region = np.argsort(region, kind="stable")
    ends = np.searchsorted(region[by_region], np.arange(len(known)), side="right")
    heads = np.searchsorted(region[by_region], np.arange(len(known)), side="left")
    known, picks = known.copy(), []
    for _ in range(min(size, len(value))):
        left = heads < ends
        head = by_region[heads[left]]
        gains = mass[left] * (1 / (1 + known[left]) - 1 / (1 + known[left] + value[head]))
        place = np.flatnonzero(left)[np.argmax(gains)]
        pick = by_region[heads[place]]
        known[place] += value[pick]
        heads[place] += 1
        picks.append(pick)
    return np.array(picks, np.int64)
