"""Tables of what each sampler reached: at the end of a run, next to a paper's, and as papers print them."""

from __future__ import annotations

import math
import re
from operator import add
from typing import TYPE_CHECKING

from alharness.api.records import FULL_DATA
from alharness.results.basis import listed, seed_list
from alharness.results.paper import compare_with_paper
from alharness.results.summary import COSTS, TRAININGS
from alharness.text import spreadsheets
from alharness.text.numbers import NOTHING, fixed, significant
from alharness.text.words import marked

from .cells import Column, Table, averaged, bold, interval, number, parts
from .typesetting import as_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from alharness.api.records import Plan
    from alharness.results.basis import Basis
    from alharness.results.paper import PaperComparison
    from alharness.results.run import RunResults
    from alharness.results.statistics import Mean
    from alharness.results.summary import SummaryRow
    from alharness.text.tables import Blocks

    from .cells import Value

SHARED = "*"
"""Marks a time that is not a query's alone."""
BETTER, WORSE = "▲ ", "▼ "
"""Before what is shown to be better than Random, or worse."""
CPU, GPU = "cpu_peak_mib", "gpu_peak_alloc_mib"
MOST = 3
"""Cells left out that are named; of more, their number."""


def lower(run: Plan, name: str) -> bool:
    """Whether smaller values of a metric or a cost are better."""
    return name in run.lower_is_better or name in COSTS


def arrow(run: Plan, name: str) -> str:
    """The name of a metric or a cost, and which way is better."""
    return f"{name} {'↓' if lower(run, name) else '↑'}"


def closing_table(results: RunResults) -> Blocks:
    """Sampler x metrics for the console: means with their intervals, over the same seeds in each part."""
    run, rows, refused = results.run, results.summary, results.basis.refused
    known = list(dict.fromkeys(name for row in rows for name in row.final))
    metrics = [name for name in run.headline if name in known] or known
    shared = [SHARED if row.shared and not row.reference else "" for row in rows]
    partial = any(mean.undefined for row in rows for mean in row.final.values())
    first, last = run.counted((run.schedule.labeled[0], run.schedule.labeled[-1]))
    counting = f" with {run.valid:,} validation samples" if run.count_valid and run.valid else ""
    times = [significant(row.costs["query_seconds"].value) for row in rows]
    areas = [cell.text for cell in Column("area", [averaged(row.area) for row in rows]).shown]
    sign = dict.fromkeys(results.advice.shown, BETTER) | dict.fromkeys(results.advice.worse, WORSE)
    signs = [sign.get(row.label, "") for row in rows]
    peaks = {CPU: "CPU MiB"} | ({GPU: "GPU MiB"} if any(GPU in row.peaks for row in rows) else {})
    notes = [
        results.averaged,
        "area = area under the budget curve",
        f"{BETTER.strip()} shown to be better than Random" if BETTER in signs else "",
        f"{WORSE.strip()} shown to be worse" if WORSE in signs else "",
        "metrics after the last cycle",
        "other metrics are in the journals and in MLflow" if len(metrics) < len(known) else "",
        _over(results.basis),
        results.basis.replicated.rstrip(".").replace("In each", "in each"),
        "a metric that is undefined for one sampler is averaged over the other seeds" if partial else "",
        f"seconds of one query and of all trainings of a cell{_stacked(rows)}",
        "peak resident memory in queries",
        f"{SHARED} measured while other cells were running" if any(shared) else "",
        f"{FULL_DATA}: trained with all labels" if any(row.reference for row in rows) else "",
        "a control reads what is known of the data, and is never the best" if run.controls else "",
        *refused[:MOST],
        f"and {len(refused) - MOST} more" if len(refused) > MOST else "",
    ]
    table = Table(
        name="closing",
        title=f"{run.name}: {run.params['dataset']}, {first} → {last} labels{counting}"
        f"{', SYNTHETIC DATA' if run.synthetic else ''}",
        columns=[
            Column("sampler", [f"{row.label}: {row.labels:,}" if row.reference else row.name for row in rows]),
            Column("n", [row.count for row in rows]),
            Column(f"area of {arrow(run, run.metric)}", list(map(add, signs, areas))),
            *finals(run, rows, metrics),
            Column("query s", list(map(add, times, shared))),
            Column("train s", [significant(row.costs["train_seconds"].value) for row in rows]),
            *(Column(text, [_mib(row, peak) for row in rows]) for peak, text in peaks.items()),
        ],
        note="; ".join(filter(None, notes)),
        apart=parts((row.seed_set, row.ranked) for row in rows),
    )
    return as_blocks(table)


def settings_table(found: Sequence[RunResults]) -> Blocks:
    """Setting x samplers for the console: the mean area under the curve of the ranking metric of each setting."""
    labels = dict.fromkeys(label for results in found for label in results.run.labels)
    controls = {label for results in found for label in results.run.controls}
    rows = [{row.label: row for row in reversed(results.summary) if not row.reference} for results in found]
    complete = [sum(record.status == "ok" for record in results.records) for results in found]
    asked = [sum(record.status != "spared" for record in results.records) for results in found]
    table = Table(
        name="settings",
        title=f"{len(found)} settings",
        columns=[
            Column("setting", [results.run.name for results in found]),
            Column("complete", [f"{n:,} of {m:,}" for n, m in zip(complete, asked, strict=True)]),
            Column("area of", [arrow(results.run, results.run.metric) for results in found]),
            *(
                Column(
                    marked(label, control=label in controls),
                    [averaged(row[label].area) if label in row else NOTHING for row in rows],
                )
                for label in labels
            ),
        ],
        note=f"{found[0].averaged} of the area under the budget curve; complete: cells",
    )
    return as_blocks(table)


def finals(run: Plan, rows: Sequence[SummaryRow], metrics: Iterable[str]) -> list[Column]:
    """Metrics after the last cycle, a column each."""
    return [
        Column(arrow(run, name), [averaged(row.final.get(name)) for row in rows], name=spreadsheets.name(name))
        for name in metrics
    ]


def seeds_column(results: RunResults, seeds: Iterable[Sequence[int]]) -> list[Column]:
    """The seeds of each row; no column if all samplers of the run are over the same."""
    several = len(results.basis.seed_sets) > 1
    return [Column("seeds", [listed(one) for one in seeds])] if several else []


def compared_with_paper(results: RunResults) -> Table | None:
    """Ours next to a paper's, for the page; None if nothing can be compared."""
    found = compare_with_paper(results)
    if found is None:
        return None
    return Table(
        name="paper",
        title=f"Compared with {found.source}",
        columns=[
            Column("sampler", [bold(label) for label, _, _ in found.rows]),
            *_ours_and_theirs(results.run, found, averaged),
            *seeds_column(results, (seeds for _, seeds, _ in found.rows)),
        ],
        note=f"Ours: {results.averaged} at {found.labels:,} labels (references: all "
        f"labels). Seconds depend on the machine{_and_stacks(results, found)}.",
        apart=parts(seeds for _, seeds, _ in found.rows),
    )


def paper_table(results: RunResults) -> Blocks | None:
    """The same for the console."""
    found = compare_with_paper(results)
    if found is None:
        return None
    several = len({seeds for _, seeds, _ in found.rows}) > 1
    table = Table(
        name="paper",
        title=f"compared with {found.source}",
        columns=[
            Column("sampler", [f"{x} (n = {len(seeds)})" if several else x for x, seeds, _ in found.rows]),
            *_ours_and_theirs(results.run, found, _cost),
        ],
        note=f"ours: {results.averaged.removesuffix('seeds')}{found.over}, at {found.labels:,} labels "
        f"(references: all labels); seconds depend on the machine{_and_stacks(results, found)}",
    )
    return as_blocks(table, group=2)


def _ours_and_theirs(
    run: Plan, found: PaperComparison, cost: Callable[[Mean | None], Value | str]
) -> Iterator[Column]:
    """Two columns for each metric and cost; `cost` writes ours of a cost."""
    heads = {"query_seconds": "query s", "train_seconds": "train s", "overall_seconds": "overall s"}
    for place, name in enumerate(found.metrics):
        ours, theirs = zip(*(row[place] for _, _, row in found.rows), strict=True)
        write, ours_of = (significant, cost) if name in COSTS else (None, averaged)
        plain = spreadsheets.name(name)
        yield Column(f"{heads.get(name) or arrow(run, name)} ours", list(map(ours_of, ours)), name=f"{plain}_ours")
        figures = [number(math.nan if figure is None else figure, write) for figure in theirs]
        yield Column(f"{heads.get(name, name)} paper", figures, name=f"{plain}_paper")


def _cost(found: Mean | None) -> str:
    if found is None:
        return NOTHING
    half = "" if math.isnan(found.half) else f" ± {significant(found.half)}"
    return f"{significant(found.value)}{half}"


def summary_table(results: RunResults, name: str, metrics: Sequence[str] = ()) -> Table:
    """Sampler x metric: means with their intervals over seeds, the best mean in bold.

    Rows over the same seeds are together; a sampler that lacks seeds of the others follows below a line, with
    Random over the seeds that both have. The models trained with all labels and controls are never the best.

    Args:
        results: a run.
        name: of its setting.
        metrics: which metrics and costs; empty for the metrics of the closing table. What was not measured in this
            run has no column.
    """
    run, rows, known = results.run, results.summary, results.metrics()
    shown = [metric for metric in metrics or run.headline if metric in (*known, *COSTS)]
    shown = shown or ([] if metrics else [*known])
    first, last = (f"{labeled:,}" for labeled in (results.labeled[0], results.labeled[-1]))
    synthetic = " Synthetic data: not comparable with the paper." if run.synthetic else ""
    unranked = TRAININGS if results.incomparable_trainings() else ()

    def column(name: str, means: Sequence[Mean | None], what: str = "") -> Column:
        choose, rivals = min if lower(run, name) else max, dict[int, list[float]]()
        for mean, row in zip(means, rows, strict=True):
            if mean is not None and row.ranked and not (math.isnan(mean.value) or name in unranked):
                rivals.setdefault(row.seed_set, []).append(mean.value)
        best = {seed_set: choose(values) for seed_set, values in rivals.items() if len(values) > 1}
        cells = [
            interval(mean.value, mean.half, strong=row.ranked and mean.value == best.get(row.seed_set))
            if mean is not None
            else NOTHING
            for mean, row in zip(means, rows, strict=True)
        ]
        return Column(f"{what}{arrow(run, name)}", cells)

    return Table(
        name=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"),
        title=f"{name}: area under the learning curve from {first} to {last} labels, and means at {last} labels; "
        f"{results.averaged}. The best mean over the same seeds is "
        f"bold, whether or not a difference is significant.{synthetic}",
        columns=[
            Column("sampler", [f"all {row.labels:,} labels" if row.reference else row.name for row in rows]),
            Column("n", [row.count for row in rows]),
            column(run.metric, [row.area for row in rows], "area of "),
            *(column(x, [row.measured(x) for row in rows]) for x in shown),
        ],
        apart=parts((row.seed_set, row.ranked) for row in rows),
    )


def _over(cells: Basis) -> str:
    """Over which seeds the rows are, if that is not all of each."""
    seed_sets = [seed_set for seed_set in cells.seed_sets if seed_set.labels]
    if not seed_sets or not (cells.lacking() or len(seed_sets) > 1):
        return ""
    first = seed_list(seed_sets[0].seeds)
    if len(seed_sets) == 1:
        return f"all over {first}, which all of them have"
    return f"above the line over {first}, below it what lacks some, and Random over the same"


def _stacked(rows: Iterable[SummaryRow]) -> str:
    """That times of trainings are shares of the time of several, if they are."""
    most = max((row.stacks[1] for row in rows), default=1)
    return f", which are their shares of stacks of up to {most}" if most > 1 else ""


def _and_stacks(results: RunResults, found: PaperComparison) -> str:
    """The same where trainings are compared with a paper's."""
    stacked = _stacked(results.summary) if set(TRAININGS) & set(found.metrics) else ""
    return stacked and f", and trainings{stacked.removeprefix(', which')}"


def _mib(row: SummaryRow, peak: str) -> str:
    return fixed(row.peaks[peak], 0) if peak in row.peaks else NOTHING
