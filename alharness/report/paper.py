"""Our figures beside those of a paper, for the console."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from rich.table import Table

from .statistics import Mean, mean
from .summary import mean_cost, overall_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alharness.records import CellRecord, Run, RunRecord

COSTS: Mapping[str, Callable[[CellRecord], float]] = {
    "query_seconds": partial(mean_cost, name="query_seconds"),
    "overall_seconds": overall_seconds,
}
"""What may stand among a paper's figures beside metrics: seconds of one query, and of a whole cell."""


def paper_table(run: Run, record: RunRecord) -> Table | None:
    """Sampler x metric, each as ours (mean ± 95 % confidence interval) and the paper's.

    None where the spec names no paper, where the data are synthetic, so that a comparison would mean nothing, or
    where nothing is finished yet that could be compared.
    """
    paper = run.paper
    if paper is None or run.synthetic:
        return None
    metrics = list(dict.fromkeys(name for figures in paper.values.values() for name in figures))
    at = paper.labels or run.schedule.labeled[-1]
    table = Table(
        title=f"beside {paper.source}",
        caption=f"ours: mean ± 95 % confidence interval over seeds, at {at:,} labels (references: all labels); "
        "seconds depend on the machine",
    )
    table.add_column("sampler", style="bold", no_wrap=True)
    for name in metrics:
        table.add_column(f"{name} ours", justify="right")
        table.add_column("paper", justify="right", style="dim")
    for label, figures in paper.values.items():
        ours = _ours(record, label, at)
        if any(name in ours for name in figures):
            table.add_row(label, *(text for name in metrics for text in _pair(name, ours, figures)))
    return table if table.row_count else None


def _ours(record: RunRecord, label: str, at: int) -> dict[str, Mean]:
    cells = [c for c in record.cells if c.cell.label == label and c.status == "ok"]
    cycles = [cycle for cell in cells for cycle in cell.cycles if cell.cell.reference or cycle.labeled == at]
    names = cycles[0].metrics if cycles else ()
    found = {name: mean([cycle.metrics[name] for cycle in cycles]) for name in names}
    return found | {name: mean([cost(cell) for cell in cells]) for name, cost in COSTS.items() if cycles}


def _pair(name: str, ours: Mapping[str, Mean], figures: Mapping[str, float]) -> tuple[str, str]:
    form = ".3g" if name in COSTS else ".3f"
    paper = f"{figures[name]:{form}}" if name in figures else "–"
    if name not in ours or math.isnan(ours[name].value):
        return "–", paper
    value, half = ours[name].value, ours[name].half
    return (f"{value:{form}}" if math.isnan(half) else f"{value:{form}} ± {half:{form}}"), paper
