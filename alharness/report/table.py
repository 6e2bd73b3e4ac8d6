"""The closing table, for the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.api.records import FULL_DATA
from alharness.text.blocks import Blocks
from alharness.text.numerals import NOTHING, fixed, form, significant

from .basis import basis, parts, seed_list
from .summary import arrow, summarize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.api.records import Outcomes, Plan
    from alharness.text.numerals import Form

    from .basis import Basis
    from .statistics import Mean
    from .summary import Row


SHARED = "*"
"""Marks a time that is not a query's alone."""
MOST = 3
"""Cells left out that are named; of more, their number."""


def closing_table(run: Plan, record: Outcomes) -> Blocks:
    """Sampler x metrics: mean ± 95 % confidence interval, over the same seeds in each part; n shown."""
    cells = basis(run, record)
    rows = summarize(run, record, cells)
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
    gpu = any(row.gpu_peak_mib is not None for row in rows)
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
        apart=parts((row.group, row.reference) for row in rows),
        title=f"{run.name}: {run.params['dataset']}, {budget}{', SYNTHETIC DATA' if run.synthetic else ''}",
        caption="mean ± 95 % confidence interval over seeds; area = area under the budget curve; metrics after "
        f"the last cycle{others}{_over(cells)}{undefined}; seconds of one query and of all trainings of a cell; "
        f"peak resident memory in queries{shared}{references}{left_out}{more}",
    )


def _over(cells: Basis) -> str:
    """Over which seeds the rows are, if that is not all of each."""
    groups = [group for group in cells.groups if group.labels]
    if not groups or not cells.lacking():
        return ""
    first = groups[0]
    if len(groups) == 1:
        return f"; all over {seed_list(first.seeds)}, which all of them have"
    return f"; above the line over {seed_list(first.seeds)}, below it what lacks some, and Random over the same"


def _cells(rows: Sequence[Row], metrics: Sequence[str], *, gpu: bool) -> list[list[str]]:
    columns = [
        [f"{row.label}: {row.labels:,}" if row.reference else row.label for row in rows],
        [row.count for row in rows],
        means([row.area for row in rows]),
        *(means([row.final.get(name) for row in rows]) for name in metrics),
        [
            f"{significant(row.query_seconds.value)}{SHARED if row.shared and not row.reference else ''}"
            for row in rows
        ],
        [significant(row.train_seconds.value) for row in rows],
        [_mib(row.cpu_peak_mib) for row in rows],
        *([[_mib(row.gpu_peak_mib) for row in rows]] if gpu else []),
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def means(column: Sequence[Mean | None]) -> list[str]:
    """A column of means ± half the widths of their intervals; a dash for None, and what is undefined is said."""
    known = [found for found in column if found is not None]
    way = form([found.value for found in known], [found.half for found in known])
    return [NOTHING if found is None else _mean(found, way) for found in column]


def _mean(found: Mean, way: Form) -> str:
    text = way.interval(found.value, found.half)
    return f"{text} ({found.undefined} undefined)" if found.undefined and text != NOTHING else text


def _mib(value: float | None) -> str:
    return NOTHING if value is None else fixed(value, 0)
