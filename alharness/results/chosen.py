"""What samplers chose: balance of labels, contradictions between modalities, overlap, places on the map."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.samples import contradict
from alharness.api.vocabulary import Task
from alharness.text import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from alharness.api.records import Outcome
    from alharness.runs.pooltable import PoolTable

    Array = NDArray[Any]

FIFTHS = 5
MOST_CLASSES = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Groups:
    """The pool in groups by its labels: classes, or fifths of the targets.

    Attributes:
        names: of the groups.
        of: (n,) group of each sample of the pool table.
    """

    names: tuple[str, ...]
    of: Array

    def shares(self, rows: Array) -> Array:
        """(groups,) shares among these rows."""
        counts = np.bincount(self.of[rows], minlength=len(self.names))
        share: Array = counts / max(counts.sum(), 1)
        return share


def groups(pool: PoolTable) -> Groups:
    """Classes, the rarest together if there are many; of targets, fifths between their quantiles.

    Targets of few values are groups by value; of some more, fifths may differ in size, and be fewer.
    """
    if pool.task == Task.CLASSIFICATION:
        counts = np.bincount(pool.labels, minlength=len(pool.classes))
        common = np.sort(np.argsort(-counts, kind="stable")[:MOST_CLASSES])
        if len(common) == len(pool.classes):
            return Groups(names=pool.classes, of=pool.labels)
        place = np.full(len(counts), len(common))
        place[common] = np.arange(len(common))
        return Groups(names=(*(pool.classes[i] for i in common), "rarer classes"), of=place[pool.labels])
    values, places = np.unique(pool.labels, return_inverse=True)
    if len(values) <= FIFTHS:
        return Groups(names=tuple(_text(value) for value in values), of=places)
    edges = np.unique(np.quantile(pool.labels.astype(np.float64), np.linspace(0, 1, FIFTHS + 1)))
    inner = edges[1:-1]
    names = [f"{_text(low)} to {_text(high)}" for low, high in pairwise(edges)]
    return Groups(names=tuple(names or ["all"]), of=np.searchsorted(inner, pool.labels, side="left"))


def _text(label: float) -> str:
    return numbers.typeset(numbers.significant(label, 2))


def rows_of(cell: Outcome, places: Mapping[str, int]) -> list[Array]:
    """Per query, the rows of what it chose; ids that the pool table lacks are left out."""
    return [
        np.array([places[i] for i in cycle.chosen if i in places], dtype=np.int64)
        for cycle in cell.cycles
        if cycle.chosen
    ]


def imbalance(shares: Array, pool: Array) -> float:
    """Half the sum of absolute differences of shares: 0 if equal to the pool, 1 if they have nothing in common."""
    return float(np.abs(shares - pool).sum() / 2)


def contradicting(pool: PoolTable) -> Array | None:
    """(n,) whether a sample's modalities contradict each other; None with fewer than two that have labels."""
    own = list(pool.unimodal_labels.values())
    return contradict(own) if len(own) > 1 else None


def times(cell: Outcome, places: Mapping[str, int]) -> Array:
    """Of every sample in `places`, the query that chose it; a number beyond all queries if none did."""
    found = np.full(len(places), len(cell.cycles))
    for cycle in cell.cycles:
        found[[places[name] for name in cycle.chosen]] = cycle.cycle
    return found


def overlap(one: Array, other: Array, sizes: Sequence[int]) -> Array:
    """After each query, what two samplers have both chosen by then, over what either has (Jaccard).

    Args:
        one: `times` of one sampler.
        other: `times` of the other, of the same seed.
        sizes: samples chosen by each query.
    """
    both = np.bincount(np.maximum(one, other), minlength=len(sizes) + 1)[: len(sizes)].cumsum()
    share: Array = both / (2 * np.cumsum(sizes) - both)
    return share


def overlap_by_chance(sizes: Sequence[int], unlabeled: int) -> Array:
    """What two samplers would have in common that choose at random: m²/N of 2m - m²/N, roughly."""
    m = np.cumsum(sizes)
    both = m * m / unlabeled
    share: Array = both / (2 * m - both)
    return share
