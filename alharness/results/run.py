"""One run as a table of all that was measured, and its samplers compared over the same seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.records import FULL_DATA

from .basis import basis
from .statistics import ENOUGH, aubc, difference, holm, mean
from .summary import summarize

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from alharness.api.records import Outcome, Plan
    from alharness.runs.pooltable import PoolTable

    from .basis import Basis, SeedSet
    from .statistics import Difference, Mean
    from .summary import SummaryRow

    Array = NDArray[np.float64]

KINDS = {"quality": "metrics", "cost": "cost", "choice": "diagnostics"}
"""Kinds of numbers, and the fields of a cycle that hold them."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """Which sampler to use: one that is shown to be better than Random, or Random.

    Attributes:
        label: the sampler to use; Random if none is shown to be better; None without Random.
        shown: samplers that are shown to be better than Random, the recommended one first.
        worse: samplers that are shown to be worse than Random.
        ahead: samplers that are not shown to be better than Random, and have a better mean than the recommended
            one over the seeds that both have, the largest difference first.
        apart: why the samplers that are shown to be better cannot be compared with each other; empty if they can.
    """

    label: str | None
    shown: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    apart: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class RunResults:
    """The results of one run.

    Every number of it is in one long table, `columns`. Arrays of these are (samplers, seeds, ...), with NaN for
    what was not measured, and for cells that do not count (see `basis`). NaN is left out of every mean and test.

    Attributes:
        run: what was asked for.
        records: its cells, in the order of the run.
        pool: labels and a map of the pool; None if the run has not left any.
        others: folders of cells that the spec had once and has no more.
    """

    run: Plan
    records: tuple[Outcome, ...]
    pool: PoolTable | None = None
    others: tuple[str, ...] = ()

    @property
    def complete(self) -> tuple[Outcome, ...]:
        """The cells with every cycle, with the references."""
        return tuple(record for record in self.records if record.status == "ok")

    @cached_property
    def basis(self) -> Basis:
        """The cells that count, and the samplers over the same seeds."""
        return basis(self.run, self.records)

    @property
    def labels(self) -> tuple[str, ...]:
        """Samplers with at least one cell that counts, in the order of the spec."""
        return self.basis.labels

    @property
    def random(self) -> str | None:
        """Label of the sampler `random`; None if it has no cell that counts."""
        return self.basis.random

    @property
    def labeled(self) -> tuple[int, ...]:
        """Labels at cycle 0, 1, ..., as they are counted; see `Plan.counted`."""
        return self.run.counted(self.run.schedule.labeled)

    @property
    def metric(self) -> str:
        """The metric that ranks."""
        return self.run.metric

    @property
    def lower_is_better(self) -> bool:
        """Whether smaller values of the metric that ranks are better."""
        return self.metric in self.run.lower_is_better

    @property
    def better(self) -> str:
        """In words."""
        return f"{self.run.better(self.metric)} is better"

    @cached_property
    def columns(self) -> Mapping[str, Sequence[Any]]:
        """The long table: every number of every cell, complete or not, one a row; name of a column -> its values.

        Columns: sampler, seed, status, compared (whether the cell counts), cycle, labels, kind (quality, cost, or
        choice for what the sampler logged), metric, value.
        """
        names = ("sampler", "seed", "status", "compared", "cycle", "labels", "kind", "metric", "value")
        rows = [
            (
                *(record.cell.label, record.cell.seed, record.status, self.counts(record)),
                *(cycle.cycle, *self.run.counted([cycle.labeled]), kind, name, value),
            )
            for record in self.records
            for cycle in record.cycles
            for kind, field in KINDS.items()
            for name, value in getattr(cycle, field).items()
        ]
        return dict(zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True))

    @cached_property
    def measurements(self) -> pd.DataFrame:
        """The long table, for people who use pandas; a report does without its import, a tenth of the whole."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns))

    def metrics(self) -> tuple[str, ...]:
        """Every metric of complete cells, the one that ranks first, then those of the closing table."""
        found = dict.fromkeys(name for record in self.complete for name in record.cycles[-1].metrics)
        return tuple(dict.fromkeys(name for name in (self.metric, *self.run.headline, *found) if name in found))

    @cached_property
    def rows(self) -> tuple[str, ...]:
        """What the first axis of arrays is: the samplers in the order of the spec, and the reference."""
        return tuple(self.basis.asked)

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """What the second axis of arrays is."""
        return tuple(sorted({seed for seeds in self.basis.asked.values() for seed in seeds}))

    def at(self, values: Array, label: str, seeds: Collection[int]) -> Array:
        """Of an array, what a sampler has in these seeds, in their order."""
        found: Array = values[self.rows.index(label), [self.seeds.index(seed) for seed in seeds]]
        return found

    def over(self, seed_set: SeedSet, values: Array) -> Array:
        """Of an array, what the rows of a seed set have in its seeds."""
        rows, seeds = map(self.rows.index, seed_set.rows), map(self.seeds.index, seed_set.seeds)
        found: Array = values[np.ix_(list(rows), list(seeds))]
        return found

    def grid(self, kind: str, name: str) -> Array:
        """(samplers, seeds, cycles) values of a metric or cost, of the cells that count."""
        found = self._grids.get((kind, name))
        return self._empty() if found is None else found.copy()

    def curves(self, metric: str) -> Array:
        """(samplers, seeds, cycles) values of a metric; a reference has one, which is there at each cycle."""
        found = self.grid("quality", metric)
        if FULL_DATA in self.rows:
            reference = self.rows.index(FULL_DATA)
            found[reference] = found[reference, :, :1]
        return found

    @cached_property
    def ranking_curves(self) -> Array:
        """Those of the metric that ranks."""
        return self.curves(self.metric)

    def areas_of(self, metric: str) -> Array:
        """(samplers, seeds) areas under the budget curve of a metric; a reference has no curve, and no area."""
        found = aubc(self.labeled, self.curves(metric))
        if FULL_DATA in self.rows:
            found[self.rows.index(FULL_DATA)] = np.nan
        return found

    @cached_property
    def all_areas(self) -> Array:
        """Those of the metric that ranks."""
        return self.areas_of(self.metric)

    def mean_cost(self, name: str) -> Array:
        """(samplers, seeds) averages of a cost over the cycles that have it; NaN if none has."""
        found = self.grid("cost", name)
        count = (~np.isnan(found)).sum(axis=-1)
        with np.errstate(invalid="ignore"):
            average: Array = _sum(found) / count
        return average

    def total_cost(self, *names: str) -> Array:
        """(samplers, seeds) sums of costs over all cycles, of the cells that count."""
        found = np.stack([self.grid("cost", name) for name in names], axis=-1)
        total = _sum(found.reshape(*found.shape[:2], -1))
        total[~self._counted] = np.nan
        return total

    def peak(self, name: str, seed_set: SeedSet, label: str) -> float | None:
        """The largest value of a cost in any cycle of these cells; None if it was not measured."""
        found = self.at(self.grid("cost", name), label, seed_set.seeds)
        return float(np.nanmax(found)) if np.isfinite(found).any() else None

    def means(self, seed_set: SeedSet, values: Array, *, alike: bool = False) -> dict[str, Mean]:
        """Label -> mean over the seeds of a seed set.

        Args:
            seed_set: samplers over the same seeds.
            values: (samplers, seeds).
            alike: leave seeds in which the value is undefined for one row out of all rows, so that they stay
                comparable; a row without any defined value has no say in this.
        """
        found = self.over(seed_set, values)
        undefined = np.isnan(found)
        some = ~undefined.all(axis=1)
        kept = ~undefined[some].any(axis=0) if alike else np.ones(len(seed_set.seeds), bool)
        rows = zip(seed_set.rows, found, undefined, strict=True)
        return {label: mean(row[kept | missing]) for label, row, missing in rows}

    def pair(self, one: str, other: str, seeds: Collection[int] | None = None) -> tuple[Array, Array]:
        """Curves of the metric that ranks, over the same seeds, (seeds, cycles) each, row by row.

        Args:
            one: label of a sampler.
            other: label of another.
            seeds: those to take; None for all that count for both.
        """
        i, j = self.rows.index(one), self.rows.index(other)
        both = self._counted[i] & self._counted[j]
        if seeds is not None:
            both &= np.isin(self.seeds, list(seeds))
        return self.ranking_curves[i, both], self.ranking_curves[j, both]

    @cached_property
    def areas(self) -> Mapping[str, Mean]:
        """Sampler -> mean area under the budget curve, over the seeds of its first seed set."""
        return {x: mean(self.at(self.all_areas, x, self.basis.first_set(x).seeds)) for x in self.labels}

    @cached_property
    def pairs(self) -> Mapping[tuple[str, str], Difference]:
        """(one, other) -> difference of their areas over the seeds that both have, in both orders.

        Larger is better for the first. Holm's correction is over all pairs.
        """
        return self.differences(self.metric)

    def differences(self, metric: str) -> dict[tuple[str, str], Difference]:
        """The same of any metric."""
        areas, lower = self.areas_of(metric), metric in self.run.lower_is_better
        found = {}
        for one, other in combinations(self.labels, 2):
            a, b = areas[self.rows.index(one)], areas[self.rows.index(other)]
            found[one, other] = difference(a, b, lower_is_better=lower, with_ranks=True)
        adjusted = holm([pair.p for pair in found.values()])
        found = {key: replace(pair, adjusted=p) for (key, pair), p in zip(found.items(), adjusted, strict=True)}
        return found | {(b, a): replace(pair, value=-pair.value) for (a, b), pair in found.items()}

    @property
    def ranked(self) -> tuple[str, ...]:
        """Samplers by seed set, in each by the mean area over its seeds, the best first."""
        sign = 1 if self.lower_is_better else -1
        order: dict[str, None] = {}
        for seed_set in self.basis.seed_sets:
            mine = [label for label in seed_set.labels if label not in order]
            order |= dict.fromkeys(sorted(mine, key=lambda label: sign * self.areas[label].value))
        return tuple(order)

    @cached_property
    def advice(self) -> Advice:
        """Of the samplers shown to be better than Random, the one with the best paired mean."""
        random, pairs = self.random, self.pairs
        if random is None:
            return Advice(label=None)
        rivals = [label for label in self.labels if label not in self.basis.randoms]
        shown = [label for label in rivals if pairs[label, random].better]
        seeds = frozenset(self.basis.cells[random]).intersection(*(self.basis.cells[label] for label in shown))
        means, apart = {x: pairs[x, random].value for x in shown}, ""
        if len(seeds) >= ENOUGH:
            sign = -1 if self.lower_is_better else 1
            means = {x: sign * float(self.at(self.all_areas, x, sorted(seeds)).mean()) for x in shown}
        else:
            apart = f"{', '.join(shown)} share fewer than {ENOUGH} seeds, so that their means cannot be compared"
        shown.sort(key=lambda label: -means[label])
        best = shown[0] if shown else random
        ahead = [x for x in rivals if x not in (*shown, best) and pairs[x, best].value > 0]
        return Advice(
            label=best,
            shown=tuple(shown),
            worse=tuple(label for label in rivals if pairs[label, random].worse),
            ahead=tuple(sorted(ahead, key=lambda label: -pairs[label, best].value)),
            apart=apart if len(shown) > 1 else "",
        )

    @cached_property
    def summary(self) -> list[SummaryRow]:
        """What each sampler reached and what it cost; see `Row`."""
        return summarize(self)

    def row(self, label: str, seed_set: SeedSet | None = None) -> SummaryRow:
        """That of a sampler in a seed set, by default the first that it is in."""
        number = self.basis.seed_sets.index(seed_set or self.basis.first_set(label))
        return next(row for row in self.summary if (row.label, row.seed_set) == (label, number))

    def incomparable_times(self) -> str:
        """Why times of this run must not be ranked; empty if they may be."""
        cells = self.cells_of_samplers()
        if any(cell.timing == "shared" for cell in cells):
            return (
                "Times are not ranked: some queries were measured while other cells were running. "
                "`alharness run SPEC --retime` measures them again, alone."
            )
        machines = _machines(cells)
        if len(machines) > 1:
            names = "; ".join(sorted(name or "an unknown one" for name in machines))
            return f"Times are not ranked: cells ran on different machines ({names})."
        return ""

    @property
    def machine(self) -> str:
        """The machine that all times belong to; empty if it is not known or not one."""
        machines = _machines(self.cells_of_samplers())
        return machines.pop() if len(machines) == 1 else ""

    def cells_of_samplers(self) -> list[Outcome]:
        """The cells of all samplers that count."""
        return [cell for label in self.labels for cell in self.basis.cells[label].values()]

    def counts(self, record: Outcome) -> bool:
        """Whether a cell is part of comparisons; see `basis`."""
        return record.cell.seed in self.basis.cells.get(record.cell.label, {})

    @cached_property
    def _counted(self) -> NDArray[np.bool_]:
        """(samplers, seeds) whether a cell counts."""
        cells = self.basis.cells
        return np.array([[seed in cells.get(label, {}) for seed in self.seeds] for label in self.rows], bool)

    def _empty(self) -> Array:
        return np.full((len(self.rows), len(self.seeds), len(self.labeled)), np.nan)

    @cached_property
    def _grids(self) -> Mapping[tuple[str, str], Array]:
        """Kind and name -> the numbers that count, as an array."""
        row = {label: number for number, label in enumerate(self.rows)}
        place = {seed: number for number, seed in enumerate(self.seeds)}
        grids: dict[tuple[str, str], Array] = {}
        for label, seed, _, compared, cycle, _, kind, name, value in zip(*self.columns.values(), strict=True):
            if compared:
                if (kind, name) not in grids:
                    grids[kind, name] = self._empty()
                grids[kind, name][row[label], place[seed], cycle] = value
        return grids


def _sum(values: Array) -> Array:
    """Sums along the last axis, from the first to the last, NaN left out."""
    # Not `nansum`, whose order of additions, and so the last digit, depends on the number of values.
    total: Array = np.nancumsum(values, axis=-1)[..., -1]
    return total


def _machines(cells: Sequence[Outcome]) -> set[str]:
    return {cycle.machine for cell in cells for cycle in cell.cycles}
