"""The rows of tables of results: what each sampler reached and cost, group by group over the same seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from .basis import basis
from .statistics import aubc, mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alharness.api.records import Outcome, Outcomes, Plan

    from .basis import Basis
    from .statistics import Mean


@dataclass(frozen=True, kw_only=True)
class Row:
    """One sampler in one group.

    Attributes:
        label: the sampler's label.
        group: number of the group; rows of one group are over the same seeds, and may be compared.
        over: seeds over which it is averaged.
        finished: seeds that are complete and count.
        seeds: seeds asked for.
        labels: labels after the last cycle, as they are counted.
        reference: no sampler, but a model trained with all labels; it has no area and no queries.
        area: area under the budget curve of the run's ranking metric.
        final: every metric after the last cycle.
        query_seconds: of one query, averaged over cycles, then over seeds.
        train_seconds: of all trainings of a cell.
        shared: whether a query was measured while other cells were running.
        cpu_peak_mib: the largest peak of resident memory during a query.
        gpu_peak_mib: the same of tensors on the accelerator; None without one.
    """

    label: str
    group: int
    over: tuple[int, ...]
    finished: int
    seeds: int
    labels: int
    reference: bool
    area: Mean
    final: Mapping[str, Mean]
    query_seconds: Mean
    train_seconds: Mean
    shared: bool
    cpu_peak_mib: float | None
    gpu_peak_mib: float | None

    @property
    def count(self) -> str:
        """Seeds that are averaged, and of how many if they are not all."""
        n = len(self.over)
        return str(n) if n == self.seeds else f"{n} of {self.seeds}"


def arrow(run: Plan, metric: str) -> str:
    """The metric's name, and which way is better."""
    return f"{metric} {'↓' if metric in run.lower_is_better else '↑'}"


def summarize(run: Plan, record: Outcomes, cells: Basis | None = None) -> list[Row]:
    """Group by group, the samplers in the order of the spec and the reference last.

    A sampler without any cell that counts has a row without values in the first group.

    Args:
        run: what was asked for.
        record: its cells.
        cells: those that count; None to decide it here.
    """
    cells = cells or basis(run, record)
    names = dict.fromkeys(
        name for found in cells.cells.values() for cell in found.values() for name in cell.cycles[-1].metrics
    )
    rows = []
    for number, group in enumerate(cells.groups):
        finals = {name: cells.means(group, partial(_final, metric=name)) for name in names}
        rows += [
            _row(run, cells, label, number, group.seeds, {name: means[label] for name, means in finals.items()})
            for label in group.rows
        ]
    rows += [_row(run, cells, label, 0, (), {}) for label in cells.asked if label not in cells.cells]
    order = list(cells.asked)
    return sorted(rows, key=lambda row: (row.group, order.index(row.label)))


def _row(run: Plan, cells: Basis, label: str, group: int, over: tuple[int, ...], final: Mapping[str, Mean]) -> Row:
    cell = next(cell for cell in run.cells if cell.label == label)
    found = [cells.cells[label][seed] for seed in over]
    measured = {name for record in found for name in record.cycles[-1].metrics}
    return Row(
        label=label,
        group=group,
        over=over,
        finished=len(cells.cells.get(label, ())),
        seeds=len(cells.asked[label]),
        labels=run.counted(run.labeled(cell))[-1],
        reference=cell.reference,
        area=mean([] if cell.reference else [_area(record, run.metric) for record in found]),
        final={name: value for name, value in final.items() if name in measured},
        query_seconds=mean([mean_cost(record, "query_seconds") for record in found]),
        train_seconds=mean([sum(c.cost.get("train_seconds", 0.0) for c in record.cycles) for record in found]),
        shared=any(record.timing == "shared" for record in found),
        cpu_peak_mib=_largest(found, "cpu_peak_mib"),
        gpu_peak_mib=_largest(found, "gpu_peak_alloc_mib"),
    )


def _final(cell: Outcome, metric: str) -> float:
    return cell.cycles[-1].metrics.get(metric, math.nan)


def _area(cell: Outcome, metric: str) -> float:
    return aubc([c.labeled for c in cell.cycles], [c.metrics[metric] for c in cell.cycles])


def mean_cost(cell: Outcome, name: str) -> float:
    """Averaged over the cycles that have it; NaN where none has."""
    values = [cycle.cost[name] for cycle in cell.cycles if name in cycle.cost]
    return sum(values) / len(values) if values else math.nan


def overall_seconds(cell: Outcome) -> float:
    """All its trainings and queries together."""
    return sum(cycle.cost.get(name, 0.0) for cycle in cell.cycles for name in ("train_seconds", "query_seconds"))


def _largest(cells: list[Outcome], name: str) -> float | None:
    return max((c.cost[name] for cell in cells for c in cell.cycles if name in c.cost), default=None)
