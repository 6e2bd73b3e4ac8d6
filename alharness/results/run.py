"""One run: its numbers by sampler and seed, and its samplers compared over the same seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from alharness.api.records import FULL_DATA
from alharness.runs import pooltable, saved

from .advice import advise
from .basis import basis
from .blocks import compare
from .statistics import aubc, corrected
from .summary import summarize

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from alharness.api.plan import Statistics
    from alharness.api.records import Outcome, Plan
    from alharness.runs.pooltable import PoolTable

    from .advice import Advice
    from .basis import Basis, SeedSet
    from .blocks import Pair
    from .sequential import Replay
    from .statistics import Difference, Mean
    from .summary import SummaryRow

    Array = NDArray[np.float64]

COLUMNS = ("sampler", "seed", "replicate", "status", "compared", "cycle", "labels", "kind", "metric", "value")
"""Those of the long table, see `RunResults.numbers`."""
KINDS = {"quality": "metrics", "utilisation": "utilisation", "cost": "cost", "choice": "diagnostics"}
"""Kinds of numbers, and the fields of a cycle that hold them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RunResults:
    """The results of one run.

    Numbers are asked for by sampler and seeds, of cells that count (see `basis`). What was not measured is NaN,
    and left out of every mean and test.

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

    @classmethod
    def read(cls, folder: Path, *, with_pool: bool = True, statistics: Statistics | None = None) -> Self:
        """Read a run directory, and nothing else: neither its spec, nor its data, nor its plugins are needed.

        Args:
            folder: the run directory.
            with_pool: read what is known of the pool, too.
            statistics: whose noise tests take, in place of what the spec says.

        Raises:
            RunError: it is no run directory, or cannot be read.
        """
        run, outcomes = saved.load(folder)
        run = replace(run, statistics=statistics or run.statistics)
        known = {cell.folder for cell in run.cells}
        return cls(
            run=run,
            records=tuple(outcomes),
            pool=pooltable.load(folder) if with_pool else None,
            others=tuple(sorted(path.name for path in (folder / "cells").glob("*/") if path.name not in known)),
        )

    @property
    def complete(self) -> tuple[Outcome, ...]:
        """The cells with every cycle, with the references."""
        return tuple(record for record in self.records if record.status == "ok")

    @property
    def spared(self) -> tuple[Outcome, ...]:
        """The cells that were not needed, since seeds that stop have decided without them."""
        return tuple(record for record in self.records if record.status == "spared")

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

    def shown(self, found: Mean) -> Mean:
        """A mean over seeds as it may be shown: without an interval if seeds stop, since none would be true."""
        return replace(found, half=math.nan) if self.run.stopping else found

    @cached_property
    def looks(self) -> Replay:
        """What the looks have decided, of a run whose seeds stop then."""
        from .looks import look_at  # it takes scipy, which others do not need

        return look_at(self)

    @property
    def averaged(self) -> str:
        """How a mean over seeds is given; see `shown`."""
        return "mean over seeds" if self.run.stopping else "mean ± 95 % confidence interval over seeds"

    def numbers(self) -> Iterator[tuple[Any, ...]]:
        """The long table: every number of every cell, complete or not, one a row, with these `COLUMNS`.

        compared: whether the cell counts; kind: one of `KINDS`, of which choice is what the sampler logged.
        """
        for record in self.records:
            about = record.cell
            cell = (about.label, about.seed, about.replicate, record.status, self.counts(record))
            for cycle in record.cycles:
                (labels,) = self.run.counted([cycle.labeled])
                for kind, field in KINDS.items():
                    for name, value in getattr(cycle, field).items():
                        yield (*cell, cycle.cycle, labels, kind, name, value)

    def counts(self, record: Outcome) -> bool:
        """Whether a cell is part of comparisons; see `basis`."""
        same = self.basis.cells.get(record.cell.label, {}).get(record.cell.seed, ())
        return any(record is one for one in same)

    def metrics(self) -> tuple[str, ...]:
        """Every metric of complete cells, the one that ranks first, then those of the closing table."""
        found = dict.fromkeys(name for record in self.complete for name in record.cycles[-1].metrics)
        return tuple(dict.fromkeys(name for name in (self.metric, *self.run.headline, *found) if name in found))

    def curves(self, label: str, seeds: Collection[int], metric: str = "") -> Array:
        """(seeds, cycles) values of a metric, by default of that which ranks.

        A reference has one value, which is there at each cycle. Of replicates of Random it is their mean.
        """
        found = self._values(label, seeds, "metrics", metric or self.metric)
        return np.repeat(found, len(self.labeled), axis=1) if label == FULL_DATA else found

    def areas_of(self, label: str, seeds: Collection[int], metric: str = "") -> Array:
        """(seeds,) areas under the budget curve of a metric; a reference has no curve, and no area."""
        if label == FULL_DATA:
            return np.full(len(seeds), np.nan)
        return aubc(self.labeled, self.curves(label, seeds, metric))

    def costs(self, label: str, seeds: Collection[int], name: str) -> Array:
        """(seeds, cycles) values of a cost; a reference has one cycle."""
        return self._values(label, seeds, "cost", name)

    def used(self, label: str, seeds: Collection[int], name: str) -> Array:
        """(seeds, cycles) values of how models use a modality, such as `share/text`; a reference has one cycle."""
        return self._values(label, seeds, "utilisation", name)

    def _values(self, label: str, seeds: Collection[int], field: str, name: str) -> Array:
        """(seeds, cycles): means over replicates."""
        means = [found.mean(axis=0) for found in self._of_replicates(label, seeds, field, name)]
        return np.array(means, float).reshape(len(seeds), 1 if label == FULL_DATA else len(self.labeled))

    def _of_replicates(self, label: str, seeds: Collection[int], field: str, name: str) -> Iterator[Array]:
        """For each seed (replicates, cycles)."""
        for seed in seeds:
            cells = self.basis.cells[label][seed]
            values = [[getattr(cycle, field).get(name, np.nan) for cycle in cell.cycles] for cell in cells]
            yield np.array(values, float)

    def replicates(self, label: str, seeds: Collection[int], metric: str = "") -> Array:
        """(seeds, replicates, cycles): as `curves`, but of each replicate; NaN if a seed has fewer.

        There is more than one of Random alone, if the spec asks for it.
        """
        found = [*self._of_replicates(label, seeds, "metrics", metric or self.metric)]
        padded = np.full((len(found), max(map(len, found), default=1), len(self.labeled)), np.nan)
        for row, values in zip(padded, found, strict=True):
            row[: len(values)] = values
        return padded

    def pair(self, one: str, other: str, seeds: Collection[int] | None = None) -> tuple[Array, Array]:
        """Curves of the metric that ranks, over the same seeds, (seeds, cycles) each, row by row.

        Args:
            one: label of a sampler.
            other: label of another.
            seeds: those to take; None for all that count for both.
        """
        shared = [seed for seed in self.basis.shared(one, other) if seeds is None or seed in seeds]
        return self.curves(one, shared), self.curves(other, shared)

    @cached_property
    def areas(self) -> Mapping[str, Mean]:
        """Sampler -> mean area under the budget curve, over the seeds of its first seed set."""
        return {label: self.row(label).area for label in self.labels}

    @cached_property
    def pairs(self) -> Mapping[tuple[str, str], Difference]:
        """(one, other) -> difference of their areas over the seeds that both have, in both orders.

        Larger is better for the first. Two questions have a family each, over which they are corrected: which
        samplers differ from Random, and which differ from each other, see `families`.
        """
        return self.differences(self.metric)

    def differences(self, metric: str) -> dict[tuple[str, str], Difference]:
        """The same of any metric."""
        if self.run.stopping:
            from .looks import differences

            return differences(self, metric)
        rows = self.by_seed(lambda label, seeds: self.areas_of(label, seeds, metric))
        pairs: dict[Pair, Difference] = {}
        for family in self.families:
            pairs |= corrected(self.compare(rows, family, metric, with_ranks=True))
        return pairs | {(b, a): replace(pair, value=-pair.value) for (a, b), pair in pairs.items()}

    @property
    def families(self) -> tuple[tuple[Pair, ...], ...]:
        """Pairs that are corrected together.

        Every other sampler and Random; all pairs of the others; and, if there are any, controls with all.
        """
        controls = self.run.controls
        rivals = [label for label in self.labels if label not in (self.random, *controls)]
        with_controls = tuple((one, x) for x, one in combinations(self.ranked, 2) if one in controls)
        return (
            tuple((x, self.random) for x in rivals if self.random),
            tuple(combinations(rivals, 2)),
            *([with_controls] if with_controls else []),
        )

    def compare(
        self, rows: Mapping[str, Array], pairs: Iterable[Pair], metric: str = "", *, with_ranks: bool = False
    ) -> dict[Pair, Difference]:
        """`blocks.compare` in the way that the spec asks for, of any metric, by default of that which ranks."""
        lower = (metric or self.metric) in self.run.lower_is_better
        return compare(rows, pairs, self.run.statistics, lower_is_better=lower, with_ranks=with_ranks)

    def by_seed(self, values: Callable[[str, Collection[int]], Array]) -> dict[str, Array]:
        """Sampler -> its values, the first axis being all seeds of the run; NaN if it has none that counts."""
        seeds = sorted({seed for label in self.labels for seed in self.basis.cells[label]})
        rows = {}
        for label in self.labels:
            own = self.basis.shared(label)
            found = values(label, own)
            rows[label] = np.full((len(seeds), *found.shape[1:]), np.nan)
            rows[label][[seeds.index(seed) for seed in own]] = found
        return rows

    @property
    def ranked(self) -> tuple[str, ...]:
        """Samplers by seed set, in each by the mean area over its seeds, the best first; controls last."""
        sign = 1 if self.lower_is_better else -1
        order: dict[str, None] = {}
        for seed_set in self.basis.seed_sets:
            mine = [label for label in seed_set.labels if label not in order]
            order |= dict.fromkeys(sorted(mine, key=lambda label: sign * self.areas[label].value))
        return tuple(sorted(order, key=self.run.controls.__contains__))

    @cached_property
    def advice(self) -> Advice:
        """Which sampler to use."""
        return advise(self)

    @cached_property
    def summary(self) -> list[SummaryRow]:
        """What each sampler reached and what it cost; see `SummaryRow`."""
        return summarize(self)

    def row(self, label: str, seed_set: SeedSet | None = None) -> SummaryRow:
        """That of a sampler in a seed set, by default the first that it is in."""
        number = self.basis.seed_sets.index(seed_set or self.basis.first_set(label))
        return next(row for row in self.summary if (row.label, row.seed_set) == (label, number))

    def incomparable_times(self) -> str:
        """Why times of this run must not be ranked; empty if they may be."""
        if any(cell.timing == "shared" for cell in self._queried):
            return (
                "Times are not ranked: some queries were measured while other cells were running. "
                "`alharness run SPEC --retime` measures them again, alone."
            )
        if len(self._machines) > 1:
            names = "; ".join(sorted(name or "an unknown one" for name in self._machines))
            return f"Times are not ranked: cells ran on different machines ({names})."
        return ""

    def incomparable_trainings(self) -> str:
        """Why times of trainings must not be ranked; empty if they may be."""
        sizes = {row.label: row.stacked for row in self.summary if row.over and not row.reference}
        if len(set(sizes.values())) < 2:
            return ""
        of_each = "; ".join(f"{label}: {size}" for label, size in sizes.items())
        return f"Times of trainings are not ranked: models were trained in stacks of different sizes ({of_each})."

    @property
    def machine(self) -> str:
        """The machine that all times belong to; empty if it is not known or not one."""
        return next(iter(self._machines)) if len(self._machines) == 1 else ""

    @cached_property
    def _queried(self) -> list[Outcome]:
        """The cells of all samplers that count."""
        return [cell for label in self.labels for same in self.basis.cells[label].values() for cell in same]

    @cached_property
    def _machines(self) -> set[str]:
        return {cycle.machine for cell in self._queried for cycle in cell.cycles}
