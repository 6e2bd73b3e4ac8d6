"""Our figures beside those of a paper."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from alharness.blocks import Blocks

from .statistics import Mean, mean
from .summary import mean_cost, overall_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alharness.records import CellRecord, Run, RunRecord

COSTS: Mapping[str, Callable[[CellRecord], float]] = {
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
        rows: label of a sampler -> for each of these, ours and the paper's; None where there is none.
    """

    source: str
    labels: int
    metrics: tuple[str, ...]
    rows: Mapping[str, Sequence[tuple[Mean | None, float | None]]]

    @staticmethod
    def form(metric: str) -> str:
        """How its figures are written."""
        return ".3g" if metric in COSTS else ".3f"


def compare(run: Run, record: RunRecord) -> Beside | None:
    """Sampler x metric, each as ours and the paper's.

    None where the spec names no paper, where the data are synthetic, so that a comparison would mean nothing, or
    where nothing is finished yet that could be compared.
    """
    paper = run.paper
    if paper is None or run.synthetic:
        return None
    metrics = tuple(dict.fromkeys(name for figures in paper.values.values() for name in figures))
    at = paper.labels or run.schedule.labeled[-1]
    rows = {}
    for label, figures in paper.values.items():
        ours = _ours(record, label, at)
        if any(name in ours for name in figures):
            rows[label] = [(ours.get(name), figures.get(name)) for name in metrics]
    return Beside(source=paper.source, labels=at, metrics=metrics, rows=rows) if rows else None


def paper_table(run: Run, record: RunRecord) -> Blocks | None:
    """The comparison for the console, ours as mean ± 95 % confidence interval; None where there is none."""
    found = compare(run, record)
    if found is None:
        return None
    rows = [
        [
            label,
            *(
                text
                for name, pair in zip(found.metrics, pairs, strict=True)
                for text in _texts(*pair, found.form(name))
            ),
        ]
        for label, pairs in found.rows.items()
    ]
    return Blocks(
        headings=["sampler", *(heading for name in found.metrics for heading in (f"{name} ours", "paper"))],
        rows=rows,
        group=2,
        title=f"beside {found.source}",
        caption=f"ours: mean ± 95 % confidence interval over seeds, at {found.labels:,} labels (references: all "
        "labels); seconds depend on the machine",
    )


def _ours(record: RunRecord, label: str, at: int) -> dict[str, Mean]:
    cells = [c for c in record.cells if c.cell.label == label and c.status == "ok"]
    cycles = [cycle for cell in cells for cycle in cell.cycles if cell.cell.reference or cycle.labeled == at]
    names = cycles[0].metrics if cycles else ()
    found = {name: mean([cycle.metrics[name] for cycle in cycles]) for name in names}
    return found | {name: mean([cost(cell) for cell in cells]) for name, cost in COSTS.items() if cycles}


def _texts(ours: Mean | None, paper: float | None, form: str) -> tuple[str, str]:
    theirs = "–" if paper is None else f"{paper:{form}}"
    if ours is None or math.isnan(ours.value):
        return "–", theirs
    value, half = ours.value, ours.half
    return (f"{value:{form}}" if math.isnan(half) else f"{value:{form}} ± {half:{form}}"), theirs
