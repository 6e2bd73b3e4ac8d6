"""The rows of the closing table: what each sampler reached, over its finished seeds, and what it cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alharness.metrics import LOWER_IS_BETTER

from .statistics import Mean, aubc, mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alharness.records import CellRecord, Run, RunRecord


@dataclass(frozen=True, kw_only=True)
class Row:
    """One sampler.

    Attributes:
        label: the sampler's label.
        finished: seeds that are complete, which alone are averaged.
        seeds: seeds asked for.
        labels: labels after the last cycle.
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
        """Finished seeds, and of how many where they are not all."""
        return str(self.finished) if self.finished == self.seeds else f"{self.finished} of {self.seeds}"


def arrow(metric: str) -> str:
    """The metric's name, and which way is better."""
    return f"{metric} {'↓' if metric in LOWER_IS_BETTER else '↑'}"


def summarize(run: Run, record: RunRecord) -> list[Row]:
    """One row per sampler, in the order of the spec, and at last one of the references, if there are any."""
    labels = dict.fromkeys([*run.labels, *(cell.label for cell in run.cells if cell.reference)])
    return [_row(run, [c for c in record.cells if c.cell.label == label]) for label in labels]


def _row(run: Run, cells: list[CellRecord]) -> Row:
    first = cells[0].cell
    complete = [cell for cell in cells if cell.status == "ok"]
    finals = [cell.cycles[-1].metrics for cell in complete]
    return Row(
        label=first.label,
        finished=len(complete),
        seeds=len(cells),
        labels=run.labeled(first)[-1],
        reference=first.reference,
        area=mean([] if first.reference else [_area(cell, run.metric) for cell in complete]),
        final={name: mean([final[name] for final in finals]) for name in (finals[0] if finals else ())},
        query_seconds=mean([mean_cost(cell, "query_seconds") for cell in complete]),
        train_seconds=mean([sum(c.cost["train_seconds"] for c in cell.cycles) for cell in complete]),
        shared=any(cell.timing == "shared" for cell in complete),
        cpu_peak_mib=_largest(complete, "cpu_peak_mib"),
        gpu_peak_mib=_largest(complete, "gpu_peak_alloc_mib"),
    )


def _area(cell: CellRecord, metric: str) -> float:
    return aubc([c.labeled for c in cell.cycles], [c.metrics[metric] for c in cell.cycles])


def mean_cost(cell: CellRecord, name: str) -> float:
    """Averaged over the cycles that have it; NaN where none has."""
    values = [cycle.cost[name] for cycle in cell.cycles if name in cycle.cost]
    return sum(values) / len(values) if values else math.nan


def overall_seconds(cell: CellRecord) -> float:
    """All its trainings and queries together."""
    return sum(cycle.cost.get(name, 0.0) for cycle in cell.cycles for name in ("train_seconds", "query_seconds"))


def _largest(cells: list[CellRecord], name: str) -> float | None:
    return max((c.cost[name] for cell in cells for c in cell.cycles if name in c.cost), default=None)
