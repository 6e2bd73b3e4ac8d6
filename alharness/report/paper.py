"""Our figures beside those of a paper."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from alharness.text.blocks import Blocks
from alharness.text.numerals import NOTHING, form, significant

from .basis import basis, seed_list
from .statistics import mean
from .summary import mean_cost, overall_seconds
from .table import means

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alharness.api.records import CycleRecord, Outcome, Outcomes, Plan

    from .basis import Basis, Group
    from .statistics import Mean

COSTS: Mapping[str, Callable[[Outcome], float]] = {
    "query_seconds": partial(mean_cost, name="query_seconds"),
    "overall_seconds": overall_seconds,
}
"""What may stand among a paper's figures beside metrics: seconds of one query, and of a whole cell."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Our figures beside a paper's.

    Attributes:
        source: the paper.
        labels: labels at which both stand.
        metrics: names of metrics and costs.
        rows: label of a sampler, seeds that ours is averaged over, and for each of the metrics and costs ours and
            the paper's, None where there is none. One that lacks seeds follows with Random over the same seeds.
    """

    source: str
    labels: int
    metrics: tuple[str, ...]
    rows: Sequence[tuple[str, tuple[int, ...], Sequence[tuple[Mean | None, float | None]]]]

    @property
    def over(self) -> str:
        """Over which seeds ours are, in words."""
        seeds = list(dict.fromkeys(seeds for _, seeds, _ in self.rows))
        return "; ".join(seed_list(found) for found in seeds)


def compare(run: Plan, record: Outcomes, cells: Basis | None = None) -> Beside | None:
    """Sampler x metric, each as ours and the paper's.

    None where the spec names no paper, where the data are synthetic, so that a comparison would mean nothing, or
    where nothing is finished yet that could be compared.

    Args:
        run: what was asked for.
        record: its cells.
        cells: those that count; None to decide it here.
    """
    paper = run.paper
    if paper is None or run.synthetic:
        return None
    metrics = tuple(dict.fromkeys(name for figures in paper.values.values() for name in figures))
    at = paper.labels or run.schedule.labeled[-1]
    cells = cells or basis(run, record)
    rows = []
    for group in cells.groups:
        ours = _ours(cells, group, at)
        rows += [
            (label, group.seeds, [(ours[label].get(name), paper.values[label].get(name)) for name in metrics])
            for label in paper.values
            if label in group.rows and any(name in ours[label] for name in paper.values[label])
        ]
    return Beside(source=paper.source, labels=at, metrics=metrics, rows=rows) if rows else None


def paper_table(run: Plan, record: Outcomes) -> Blocks | None:
    """The comparison for the console, ours as mean ± 95 % confidence interval; None where there is none."""
    found = compare(run, record)
    if found is None:
        return None
    several = len({seeds for _, seeds, _ in found.rows}) > 1
    columns = [[f"{label} (n = {len(seeds)})" if several else label for label, seeds, _ in found.rows]]
    for name, pairs in zip(found.metrics, zip(*(pairs for _, _, pairs in found.rows), strict=True), strict=True):
        theirs = [paper for _, paper in pairs]
        write = significant if name in COSTS else form([paper for paper in theirs if paper is not None]).number
        columns += [
            [_cost(ours) for ours, _ in pairs] if name in COSTS else means([ours for ours, _ in pairs]),
            [NOTHING if paper is None else write(paper) for paper in theirs],
        ]
    return Blocks(
        headings=["sampler", *(heading for name in found.metrics for heading in (f"{name} ours", "paper"))],
        rows=[list(row) for row in zip(*columns, strict=True)],
        group=2,
        title=f"beside {found.source}",
        caption=f"ours: mean ± 95 % confidence interval over {found.over}, at {found.labels:,} labels "
        "(references: all labels); seconds depend on the machine",
    )


def _ours(cells: Basis, group: Group, at: int) -> dict[str, dict[str, Mean]]:
    """Label -> metric or cost -> mean over the seeds of a group, of what is measured at so many labels."""
    found: dict[str, dict[str, Mean]] = {label: {} for label in group.rows}
    records = {label: [_cycle(cell, at) for cell in cells.of(group, label)] for label in group.rows}
    measured = {label: [cycle for cycle in cycles if cycle] for label, cycles in records.items()}
    for name in dict.fromkeys(name for cycles in measured.values() for cycle in cycles for name in cycle.metrics):
        for label, value in cells.means(group, partial(_metric, at=at, name=name)).items():
            if any(name in cycle.metrics for cycle in measured[label]):
                found[label][name] = value
    for label, cycles in measured.items():
        if cycles:
            found[label] |= {name: mean([c(cell) for cell in cells.of(group, label)]) for name, c in COSTS.items()}
    return found


def _cycle(cell: Outcome, at: int) -> CycleRecord | None:
    return next((cycle for cycle in cell.cycles if cell.cell.reference or cycle.labeled == at), None)


def _metric(cell: Outcome, at: int, name: str) -> float:
    cycle = _cycle(cell, at)
    return math.nan if cycle is None else cycle.metrics.get(name, math.nan)


def _cost(found: Mean | None) -> str:
    if found is None:
        return NOTHING
    half = "" if math.isnan(found.half) else f" ± {significant(found.half)}"
    return f"{significant(found.value)}{half}"
