"""What each sampler reached and what it cost, by seed set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .basis import SeedSet
from .statistics import mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from alharness.api.records import Outcome

    from .run import RunResults
    from .statistics import Mean

PARTS = ("query_seconds", "query_inference_seconds", "query_gradients_seconds", "query_selection_seconds")
PEAKS = ("cpu_peak_mib", "cpu_peak_increase_mib", "gpu_peak_alloc_mib")
COSTS = ("query_seconds", "train_seconds", "overall_seconds")
"""Costs of a row: of one query, of all trainings of a cell, and of all its trainings and queries."""
OVERALL = ("train_seconds", "query_seconds")
"""Costs that make up the time of a cell."""


def seconds(record: Outcome, *costs: str) -> float:
    """Of one cell, sum of these costs over all cycles; 0 if none was measured."""
    return sum(cycle.cost.get(name, 0.0) for cycle in record.cycles for name in costs)


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One sampler in one seed set.

    Attributes:
        label: the sampler's label.
        seed_set: number of the seed set; only rows of one are over the same seeds, and may be compared.
        over: seeds over which it is averaged.
        seeds: how many seeds were asked for.
        labels: labels after the last cycle, as they are counted.
        reference: no sampler, but a model trained with all labels; it has no area and no queries.
        areas: area under the budget curve, of each metric.
        final: each metric after the last cycle.
        metric: the metric that ranks.
        query: seconds of one query by part, averaged over cycles, then over seeds.
        training: seconds of one training.
        trainings: seconds of all trainings of a cell.
        overall: seconds of all trainings and queries of a cell.
        peaks: the largest of any query, MiB; what was not measured is absent.
        shared: whether a query was measured while other cells were running.
    """

    label: str
    seed_set: int
    over: tuple[int, ...]
    seeds: int
    labels: int
    reference: bool
    metric: str
    areas: Mapping[str, Mean]
    final: Mapping[str, Mean]
    query: Mapping[str, Mean]
    training: Mean
    trainings: Mean
    overall: Mean
    peaks: Mapping[str, float]
    shared: bool

    @property
    def area(self) -> Mean:
        """Of the metric that ranks."""
        return self.areas.get(self.metric, mean([]))

    @property
    def count(self) -> str:
        """Seeds that are averaged, and of how many if they are not all."""
        n = len(self.over)
        return str(n) if n == self.seeds else f"{n} of {self.seeds}"

    @property
    def costs(self) -> Mapping[str, Mean]:
        """Those of `COSTS`; what was not measured is absent."""
        means = (self.query["query_seconds"], self.trainings, self.overall)
        return {name: mean for name, mean in zip(COSTS, means, strict=True) if mean.n}

    @property
    def share_of_training(self) -> float:
        """Time of a query as a share of a training's."""
        query, train = self.query["query_seconds"].value, self.training.value
        return query / train if train > 0 else float("nan")


def summarize(results: RunResults) -> list[SummaryRow]:
    """By seed set, the samplers in the order of the spec and the reference last.

    A sampler without any cell that counts has a row without values in the first seed set.
    """
    cells, order = results.basis, list(results.basis.asked)
    rows = [row for number, seed_set in enumerate(cells.seed_sets) for row in _rows(results, number, seed_set)]
    missing = (SeedSet(labels=(label,), seeds=()) for label in order if label not in cells.cells)
    rows += [row for nothing in missing for row in _rows(results, 0, nothing)]
    return sorted(rows, key=lambda row: (row.seed_set, order.index(row.label)))


def _rows(results: RunResults, number: int, seed_set: SeedSet) -> Iterator[SummaryRow]:
    run, cells = results.run, results.basis
    names = dict.fromkeys(
        name for found in cells.cells.values() for cell in found.values() for name in cell.cycles[-1].metrics
    )
    final = {name: results.means(seed_set, results.curves(name)[..., -1], alike=True) for name in names}
    areas = {name: results.means(seed_set, results.areas_of(name), alike=True) for name in names}
    query = {part: results.means(seed_set, results.mean_cost(part)) for part in PARTS}
    training = results.means(seed_set, results.mean_cost("train_seconds"))
    trainings = results.means(seed_set, results.total_cost("train_seconds"))
    overall = results.means(seed_set, results.total_cost(*OVERALL))
    for label in seed_set.rows:
        records = cells.of(seed_set, label)
        measured = {name for record in records for name in record.cycles[-1].metrics}
        peaks = {name: results.peak(name, seed_set, label) for name in PEAKS}
        cell = next(cell for cell in run.cells if cell.label == label)
        yield SummaryRow(
            label=label,
            seed_set=number,
            over=seed_set.seeds,
            seeds=len(cells.asked[label]),
            labels=run.counted(run.labeled(cell))[-1],
            reference=cell.reference,
            metric=run.metric,
            areas={} if cell.reference else {n: by[label] for n, by in areas.items() if n in measured},
            final={n: by[label] for n, by in final.items() if n in measured},
            query={part: by[label] for part, by in query.items()},
            training=training[label],
            trainings=trainings[label],
            overall=overall[label],
            peaks={name: peak for name, peak in peaks.items() if peak is not None},
            shared=any(record.timing == "shared" for record in records),
        )
