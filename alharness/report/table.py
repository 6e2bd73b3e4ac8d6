"""The tables at the end of a run, for the console."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from alharness.api.records import FULL_DATA
from alharness.results.basis import seed_list
from alharness.results.paper import COSTS, compare_with_paper
from alharness.text.numbers import NOTHING, fixed, form, significant
from alharness.text.tables import Blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alharness.api.records import Plan
    from alharness.results.basis import Basis
    from alharness.results.run import RunResults
    from alharness.results.statistics import Mean
    from alharness.results.summary import SummaryRow
    from alharness.text.numbers import Form


SHARED = "*"
"""Marks a time that is not a query's alone."""
CPU, GPU = "cpu_peak_mib", "gpu_peak_alloc_mib"
MOST = 3
"""Cells left out that are named; of more, their number."""


def arrow(run: Plan, metric: str) -> str:
    """The metric's name, and which way is better."""
    return f"{metric} {'↓' if metric in run.lower_is_better else '↑'}"


def parts(keys: Iterable[object]) -> list[int]:
    """Numbers of the rows of a table that begin another part of it: their key is not that of the row before."""
    return [number for number, (before, key) in enumerate(pairwise(keys), 1) if key != before]


def closing_table(results: RunResults) -> Blocks:
    """Sampler x metrics: mean ± 95 % confidence interval, over the same seeds in each part; n shown."""
    run, cells, rows = results.run, results.basis, results.summary
    known = list(dict.fromkeys(name for row in rows for name in row.final))
    metrics = [name for name in run.headline if name in known] or known
    others = "" if len(metrics) == len(known) else "; other metrics are in the journals and in MLflow"
    queried = [row for row in rows if not row.reference]
    shared = f"; {SHARED} measured while other cells were running" if any(row.shared for row in queried) else ""
    references = f"; {FULL_DATA}: trained with all labels" if any(row.reference for row in rows) else ""
    partial = any(mean.undefined for row in rows for mean in row.final.values())
    undefined = "; a metric that is undefined for one sampler is averaged over the other seeds" if partial else ""
    first, last = run.counted((run.schedule.labeled[0], run.schedule.labeled[-1]))
    counting = f" with {run.valid:,} validation samples" if run.count_valid and run.valid else ""
    budget = f"{first} → {last} labels{counting}"
    left_out = "".join(f"; {sentence}" for sentence in cells.refused[:MOST])
    more = f"; and {len(cells.refused) - MOST} more" if len(cells.refused) > MOST else ""
    gpu = any(GPU in row.peaks for row in rows)
    costs = ["query s", "train s", "CPU MiB", *(["GPU MiB"] if gpu else [])]
    return Blocks(
        headings=[
            "sampler",
            "n",
            f"area of {arrow(run, run.metric)}",
            *(arrow(run, name) for name in metrics),
            *costs,
        ],
        rows=_cells(rows, metrics, gpu=gpu),
        apart=parts((row.seed_set, row.reference) for row in rows),
        title=f"{run.name}: {run.params['dataset']}, {budget}{', SYNTHETIC DATA' if run.synthetic else ''}",
        caption="mean ± 95 % confidence interval over seeds; area = area under the budget curve; metrics after "
        f"the last cycle{others}{_over(cells)}{undefined}; seconds of one query and of all trainings of a cell; "
        f"peak resident memory in queries{shared}{references}{left_out}{more}",
    )


def paper_table(results: RunResults) -> Blocks | None:
    """The comparison for the console, ours as mean ± 95 % confidence interval; None if there is none."""
    found = compare_with_paper(results)
    if found is None:
        return None
    several = len({seeds for _, seeds, _ in found.rows}) > 1
    columns = [[f"{label} (n = {len(seeds)})" if several else label for label, seeds, _ in found.rows]]
    for name, pairs in zip(found.metrics, zip(*(pairs for _, _, pairs in found.rows), strict=True), strict=True):
        theirs = [paper for _, paper in pairs]
        write = significant if name in COSTS else form([paper for paper in theirs if paper is not None]).number
        columns += [
            [_cost(ours) for ours, _ in pairs] if name in COSTS else _means([ours for ours, _ in pairs]),
            [NOTHING if paper is None else write(paper) for paper in theirs],
        ]
    return Blocks(
        headings=["sampler", *(heading for name in found.metrics for heading in (f"{name} ours", "paper"))],
        rows=[list(row) for row in zip(*columns, strict=True)],
        group=2,
        title=f"compared with {found.source}",
        caption=f"ours: mean ± 95 % confidence interval over {found.over}, at {found.labels:,} labels "
        "(references: all labels); seconds depend on the machine",
    )


def _over(cells: Basis) -> str:
    """Over which seeds the rows are, if that is not all of each."""
    seed_sets = [seed_set for seed_set in cells.seed_sets if seed_set.labels]
    if not seed_sets or not cells.lacking():
        return ""
    first = seed_sets[0]
    if len(seed_sets) == 1:
        return f"; all over {seed_list(first.seeds)}, which all of them have"
    return f"; above the line over {seed_list(first.seeds)}, below it what lacks some, and Random over the same"


def _cells(rows: Sequence[SummaryRow], metrics: Sequence[str], *, gpu: bool) -> list[list[str]]:
    columns = [
        [f"{row.label}: {row.labels:,}" if row.reference else row.label for row in rows],
        [row.count for row in rows],
        _means([row.area for row in rows]),
        *(_means([row.final.get(name) for row in rows]) for name in metrics),
        [
            f"{significant(row.query['query_seconds'].value)}{SHARED if row.shared and not row.reference else ''}"
            for row in rows
        ],
        [significant(row.trainings.value) for row in rows],
        [_mib(row, CPU) for row in rows],
        *([[_mib(row, GPU) for row in rows]] if gpu else []),
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _means(column: Sequence[Mean | None]) -> list[str]:
    """A column of means ± half the widths of their intervals; a dash for None, and what is undefined is said."""
    known = [found for found in column if found is not None]
    way = form([found.value for found in known], [found.half for found in known])
    return [NOTHING if found is None else _mean(found, way) for found in column]


def _mean(found: Mean, way: Form) -> str:
    text = way.interval(found.value, found.half)
    return f"{text} ({found.undefined} undefined)" if found.undefined and text != NOTHING else text


def _mib(row: SummaryRow, name: str) -> str:
    return fixed(row.peaks[name], 0) if name in row.peaks else NOTHING


def _cost(found: Mean | None) -> str:
    if found is None:
        return NOTHING
    half = "" if math.isnan(found.half) else f" ± {significant(found.half)}"
    return f"{significant(found.value)}{half}"
