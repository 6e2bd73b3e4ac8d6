"""The closing table, for the console."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alharness.blocks import Blocks
from alharness.cells import FULL_DATA

from .summary import arrow, summarize

if TYPE_CHECKING:
    from alharness.records import Run, RunRecord

    from .statistics import Mean
    from .summary import Row


SHARED = "*"
"""Marks a time that is not a query's alone."""


def closing_table(run: Run, record: RunRecord) -> Blocks:
    """Sampler x metrics: mean ± 95 % confidence interval over the finished seeds, n shown."""
    rows = summarize(run, record)
    known = list(dict.fromkeys(name for row in rows for name in row.final))
    metrics = [name for name in run.headline if name in known] or known
    others = "" if len(metrics) == len(known) else "; other metrics are in the journals and in MLflow"
    queried = [row for row in rows if not row.reference]
    shared = f"; {SHARED} measured while other cells were running" if any(row.shared for row in queried) else ""
    references = f"; {FULL_DATA}: trained with all labels" if any(row.reference for row in rows) else ""
    budget = f"{run.schedule.labeled[0]} → {run.schedule.labeled[-1]} labels"
    gpu = any(row.gpu_peak_mib is not None for row in rows)
    costs = ["query s", "train s", "CPU MiB", *(["GPU MiB"] if gpu else [])]
    return Blocks(
        headings=["sampler", "n", f"area of {arrow(run.metric)}", *map(arrow, metrics), *costs],
        rows=[_cells(row, metrics, gpu=gpu) for row in rows],
        apart=next((number for number, row in enumerate(rows) if row.reference), None),
        title=f"{run.name}: {run.params['dataset']}, {budget}{', SYNTHETIC DATA' if run.synthetic else ''}",
        caption="mean ± 95 % confidence interval over seeds; area = area under the budget curve; metrics after "
        f"the last cycle{others}; seconds of one query and of all trainings of a cell; peak resident memory in "
        f"queries{shared}{references}",
    )


def _cells(row: Row, metrics: list[str], *, gpu: bool) -> list[str]:
    return [
        f"{row.label}: {row.labels:,}" if row.reference else row.label,
        row.count,
        _value(row.area),
        *(_value(row.final[name]) if name in row.final else "–" for name in metrics),
        f"{_number(row.query_seconds.value)}{SHARED if row.shared and not row.reference else ''}",
        _number(row.train_seconds.value),
        "–" if row.cpu_peak_mib is None else f"{row.cpu_peak_mib:.0f}",
        *(["–" if row.gpu_peak_mib is None else f"{row.gpu_peak_mib:.0f}"] if gpu else []),
    ]


def _value(mean: Mean) -> str:
    if math.isnan(mean.value):
        return "–"
    text = f"{mean.value:.3f}" if math.isnan(mean.half) else f"{mean.value:.3f} ± {mean.half:.3f}"
    return f"{text} ({mean.undefined} undefined)" if mean.undefined else text


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3g}"
