"""What each sampler reached and what it cost, by seed set."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from operator import add
from statistics import fmean
from typing import TYPE_CHECKING, Any

from alharness.api.records import FULL_DATA
from alharness.text.words import marked

from .basis import SeedSet
from .statistics import alike, mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from alharness.api.records import Outcome

    from .run import RunResults
    from .statistics import Mean

PARTS = ("query_seconds", "query_inference_seconds", "query_gradients_seconds", "query_selection_seconds")
PEAKS = ("cpu_peak_mib", "cpu_peak_increase_mib", "gpu_peak_alloc_mib")
COSTS = ("query_seconds", "train_seconds", "overall_seconds")
"""Costs that are shown next to metrics: of one query, of all trainings of a cell, and of all of both."""
OVERALL = ("train_seconds", "query_seconds")
"""Costs that make up the time of a cell."""
TRAININGS = ("train_seconds", "overall_seconds")
"""Costs that depend on how many models were trained together."""
STACKED = "train_stacked"
"""How many models that were; absent if a model was trained by itself."""


def seconds(record: Outcome, *costs: str) -> float:
    """Of one cell, sum of these costs over all cycles; 0 if none was measured."""
    # Added up one by one: `sum` does otherwise from Python 3.12 on, and the last digit depends on it.
    return reduce(add, (cycle.cost.get(name, 0.0) for cycle in record.cycles for name in costs), 0.0)


def seconds_per_cycle(record: Outcome, cost: str) -> float:
    """Of one cell, average of a cost over the cycles that have it; NaN if none has."""
    count = sum(cost in cycle.cost for cycle in record.cycles)
    return seconds(record, cost) / count if count else math.nan


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One sampler in one seed set.

    Attributes:
        label: the sampler's label.
        seed_set: number of the seed set; only rows of one are over the same seeds, and may be compared.
        over: seeds over which it is averaged.
        seeds: how many seeds were asked for.
        replicates: the most cells of one seed; their mean is the seed's value. More than one of Random alone.
        labels: labels after the last cycle, as they are counted.
        reference: no sampler, but a model trained with all labels; it has no area and no queries.
        control: no sampler to be ranked: it reads what is known of made-up data.
        area: area under the budget curve, of the metric that ranks.
        areas: the same of each metric.
        final: each metric after the last cycle.
        costs: seconds, with n = 0 if they were not measured: those of `PARTS` of one query, averaged over cycles,
            then over seeds; `train_seconds` of all trainings of a cell; `overall_seconds` of all of these and its
            queries. And `train_stacked`, models that were trained together.
        training: seconds of one training; of one in a stack, its share.
        stacks: how many models were trained together, at least and at most; 1 if each was trained by itself.
        peaks: the largest of any query, MiB; what was not measured is absent.
        shared: whether a query was measured while other cells were running.
    """

    label: str
    seed_set: int
    over: tuple[int, ...]
    seeds: int
    replicates: int
    labels: int
    reference: bool
    control: bool
    area: Mean
    areas: Mapping[str, Mean]
    final: Mapping[str, Mean]
    costs: Mapping[str, Mean]
    training: Mean
    stacks: tuple[int, int]
    peaks: Mapping[str, float]
    shared: bool

    @property
    def ranked(self) -> bool:
        """Whether it may be the best."""
        return not (self.reference or self.control)

    @property
    def name(self) -> str:
        """The label, with a word on a control."""
        return marked(self.label, control=self.control)

    @property
    def count(self) -> str:
        """Seeds that are averaged, and of how many if they are not all."""
        n = len(self.over)
        return str(n) if n == self.seeds else f"{n} of {self.seeds}"

    def measured(self, name: str) -> Mean | None:
        """A metric after the last cycle, or a cost; None if it was not measured."""
        cost = self.costs.get(name)
        return self.final.get(name) or (cost if cost and cost.n else None)

    @property
    def stacked(self) -> str:
        """How many models were trained together, in words."""
        fewest, most = self.stacks
        return str(most) if fewest == most else f"{fewest} to {most}"

    @property
    def share_of_training(self) -> float:
        """Time of a query as a share of a training's."""
        query, train = self.costs["query_seconds"].value, self.training.value
        return query / train if train > 0 else math.nan


def summarize(results: RunResults) -> list[SummaryRow]:
    """By seed set, the samplers in the order of the spec, then controls, and the reference last.

    A sampler without any cell that counts has a row without values in the first seed set.
    """
    cells, order = results.basis, list(results.basis.asked)
    missing = SeedSet(labels=tuple(label for label in order if label not in cells.cells), seeds=())
    seed_sets = [*enumerate(cells.seed_sets), (0, missing)]
    rows = [row for number, seed_set in seed_sets for row in _rows(results, number, seed_set)]
    return sorted(rows, key=lambda row: (row.seed_set, row.reference, row.control, order.index(row.label)))


def _rows(results: RunResults, number: int, seed_set: SeedSet) -> Iterator[SummaryRow]:
    run, cells, seeds = results.run, results.basis, seed_set.seeds
    names = dict.fromkeys(
        name
        for found in cells.cells.values()
        for same in found.values()
        for cell in same
        for name in cell.cycles[-1].metrics
    )

    def means(of: Callable[..., Any]) -> dict[str, dict[str, Mean]]:
        found = {n: alike({x: of(x, seeds, n) for x in seed_set.rows}) for n in names}
        return {n: {x: results.shown(mean) for x, mean in by.items()} for n, by in found.items()}

    final, areas = means(lambda *of: results.curves(*of)[:, -1]), means(results.areas_of)
    for label in seed_set.rows:
        records = cells.every(seed_set, label)
        measured = {name for record in records for name in record.cycles[-1].metrics}
        costs = [cycle.cost for record in records for cycle in record.cycles]
        sizes = [int(cost.get(STACKED, 1)) for cost in costs if "train_seconds" in cost] or [1]
        peaks = {name: [cost[name] for cost in costs if name in cost] for name in PEAKS}
        own = {} if label == FULL_DATA else {n: by[label] for n, by in areas.items() if n in measured}
        cell = next(cell for cell in run.cells if cell.label == label)

        def over(measure: Callable[..., float], *names: str, label: str = label) -> Mean:
            """Of a seed's cells the mean, and that over seeds."""
            of_seeds = [fmean(measure(one, *names) for one in cells.cells[label][seed]) for seed in seeds]
            return results.shown(mean(of_seeds))

        yield SummaryRow(
            label=label,
            seed_set=number,
            over=seeds,
            seeds=len(cells.asked[label]),
            replicates=max((len(cells.cells[label][seed]) for seed in seeds), default=1),
            labels=run.counted(run.labeled(cell))[-1],
            reference=cell.reference,
            control=cell.control,
            area=own.get(run.metric, mean([])),
            areas=own,
            final={n: by[label] for n, by in final.items() if n in measured},
            costs={
                **{part: over(seconds_per_cycle, part) for part in PARTS},
                "train_seconds": over(seconds, "train_seconds"),
                "overall_seconds": over(seconds, *OVERALL),
                STACKED: over(seconds_per_cycle, STACKED),
            },
            training=over(seconds_per_cycle, "train_seconds"),
            stacks=(min(sizes), max(sizes)),
            peaks={name: max(found) for name, found in peaks.items() if found},
            shared=any(record.timing == "shared" for record in records),
        )
