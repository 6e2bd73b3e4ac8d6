"""What samplers chose: balance of labels, contradictions between modalities, overlap, places on the map."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.samples import contradict
from alharness.api.vocabulary import Task
from alharness.text import numbers

from .basis import seed_list
from .statistics import mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from alharness.api.records import Outcome
    from alharness.runs.pooltable import PoolTable

    from .run import RunResults
    from .statistics import Mean

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Choices:
    """What the samplers of a run chose, by their labels, with the seeds of those that lack some.

    Attributes:
        groups: the pool in groups by its labels.
        pool: (groups,) shares in the whole pool.
        shares: sampler -> (seeds, groups) shares among all that it chose.
        pool_marks: the same of the whole pool.
        marks: how it is shown and its name -> sampler -> of what it chose, mean over seeds: per cent of the
            samples that have the mark, or the mean of a number.
        queries: sampler -> of its first seed, rows of the pool table that each query chose.
    """

    groups: Groups
    pool: Array
    shares: Mapping[str, Array]
    pool_marks: Mapping[tuple[str, str], float]
    marks: Mapping[tuple[str, str], Mapping[str, Mean]]
    queries: Mapping[str, Sequence[Array]]

    def imbalance(self, label: str) -> Mean:
        """Of what a sampler chose, mean over seeds."""
        return mean([imbalance(share, self.pool) for share in self.shares[label]])


def choices(results: RunResults, pool: PoolTable) -> Choices:
    """Read what counts from the cells; ids that the pool table lacks are left out."""
    places = {name: row for row, name in enumerate(pool.ids)}
    found, known = groups(pool), marks(pool)
    shares: dict[str, Array] = {}
    marked: dict[tuple[str, str], dict[str, Mean]] = {name: {} for name in known}
    queries: dict[str, Sequence[Array]] = {}
    first = results.basis.seed_sets[0]
    for seed_set in results.basis.seed_sets:
        for label in seed_set.labels:
            name = label if seed_set is first else f"{label} ({seed_list(seed_set.seeds)})"
            seeds = [_queries(cell, places) for cell in results.basis.of(seed_set, label)]
            rows = [np.concatenate([np.zeros(0, np.int64), *chosen]) for chosen in seeds]
            shares[name] = np.array([found.shares(chosen) for chosen in rows])
            for mark, values in known.items():
                own = [float(values[chosen].mean()) if len(chosen) else np.nan for chosen in rows]
                marked[mark][name] = mean(own)
            if seed_set is results.basis.first_set(label):
                queries[label if seed_set is first else f"{label} (seed {seed_set.seeds[0]})"] = seeds[0]
    return Choices(
        groups=found,
        pool=found.shares(np.arange(len(pool.ids))),
        shares=shares,
        pool_marks={mark: float(values.mean()) for mark, values in known.items()},
        marks=marked,
        queries=queries,
    )


def _queries(cell: Outcome, places: Mapping[str, int]) -> list[Array]:
    """Per query, the rows of what it chose."""
    return [
        np.array([places[i] for i in cycle.chosen if i in places], dtype=np.int64)
        for cycle in cell.cycles
        if cycle.chosen
    ]


def imbalance(shares: Array, pool: Array) -> float:
    """Half the sum of absolute differences of shares: 0 if equal to the pool, 1 if they have nothing in common."""
    return float(np.abs(shares - pool).sum() / 2)


PERCENT, MEAN = "percent", "mean"
CONTRADICTING = PERCENT, "contradicting"
"""The mark of samples whose modalities have labels that contradict each other."""


def marks(pool: PoolTable) -> dict[tuple[str, str], Array]:
    """What is known of samples, (n,), by how it is shown and its name.

    It is 100 if a sample has the mark, and 0 if not, or a number.

    Contradictions of labels of modalities, and of the truth of made-up data one number, or what is true of some.
    """
    against = contradicting(pool)
    found: dict[tuple[str, str], Array] = {} if against is None else {CONTRADICTING: 100.0 * against}
    for name, known in pool.truth.items():
        if known.ndim == 1 and known.dtype.kind == "b" and known.any():
            found[PERCENT, name] = 100.0 * known
        if known.ndim == 1 and known.dtype.kind == "f":
            found[MEAN, name] = known
    return found


def contradicting(pool: PoolTable) -> Array | None:
    """(n,) whether a sample's modalities contradict each other; None with fewer than two that have labels."""
    own = list(pool.unimodal_labels.values())
    return contradict(own) if len(own) > 1 else None


def overlaps(results: RunResults) -> dict[tuple[str, str], Array]:
    """Pair of samplers of the first seed set -> mean overlap over its seeds, after each query; in both orders."""
    seed_set = results.basis.seed_sets[0]
    cells = {label: results.basis.of(seed_set, label) for label in seed_set.labels}
    ids = {i for found in cells.values() for cell in found for c in cell.cycles for i in c.chosen}
    places = {name: row for row, name in enumerate(sorted(ids))}
    when = {label: [times(cell, places) for cell in found] for label, found in cells.items()}
    found = {}
    for one, other in combinations(seed_set.labels, 2):
        both = zip(when[one], when[other], strict=True)
        lines = [overlap(a, b, results.run.schedule.sizes) for a, b in both]
        found[one, other] = found[other, one] = np.mean(lines, axis=0)
    return found


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
