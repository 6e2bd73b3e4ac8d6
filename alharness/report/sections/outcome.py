"""What each sampler reached: the table of metrics, that of the paper, and single classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.report.document import Section, Table, Value, interval, number
from alharness.report.paper import compare
from alharness.report.scores import known_metrics
from alharness.report.summary import arrow, summarize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.report.statistics import Mean
    from alharness.report.study import Study
    from alharness.report.summary import Row

SINGLE = "f1_"
"""Begins the metrics of single classes, beside `f1_macro` and those of the sentiment metrics."""
MANY = 3
"""Metrics that begin so, from which on they are those of classes, and get a table of their own."""


def section(study: Study) -> Section | None:
    """Tables of means over finished seeds."""
    rows = summarize(study.results.run, study.results.record)
    if not any(row.finished for row in rows):
        return None
    metrics = known_metrics(study.results)
    single = [name for name in metrics if name.startswith(SINGLE) and name not in study.results.run.headline]
    if len(single) < MANY:
        single = []
    run = study.results.run
    tables = [_table(study, rows, [name for name in metrics if name not in single])]
    if single:
        tables.append(_single(study, rows, single))
    if beside := _paper(study):
        tables.append(beside)
    last = run.schedule.labeled[-1]
    return Section(
        anchor="outcome",
        title=f"After the last cycle, at {last:,} labels",
        paragraphs=[
            *_unfinished(rows),
            f"{run.paper.source}: its figures stand beside results on real data only."
            if run.paper and run.synthetic
            else "",
        ],
        tables=tables,
    )


def _table(study: Study, rows: Sequence[Row], metrics: Sequence[str]) -> Table:
    run = study.results.run
    return Table(
        name="outcome",
        title="Mean ± 95 % confidence interval over seeds",
        headings=("sampler", "n", f"area of {arrow(run.metric)}", *map(arrow, metrics)),
        rows=[
            [
                Value(text=f"{row.label} ({row.labels:,} labels)" if row.reference else row.label, strong=True),
                Value(text=row.count, number=row.finished),
                _mean(row.area, strong=_sure(study, row)),
                *(_mean(row.final[name]) if name in row.final else "–" for name in metrics),
            ]
            for row in rows
        ],
        note="n: finished seeds. Area: under the curve over the labeled count, divided by its range. An area "
        "in bold "
        "is significantly better than Random's (paired t-test, Holm's correction). Nothing else here is tested.",
    )


def _single(study: Study, rows: Sequence[Row], metrics: Sequence[str]) -> Table:
    return Table(
        name="classes",
        title="F1 of single classes",
        headings=("sampler", "n", *(name.removeprefix(SINGLE) for name in metrics)),
        rows=[
            [
                Value(text=row.label, strong=True),
                Value(text=row.count, number=row.finished),
                *(_mean(row.final[name]) if name in row.final else "–" for name in metrics),
            ]
            for row in rows
        ],
        note=f"At {study.results.run.schedule.labeled[-1]:,} labels; higher is better.",
    )


def _paper(study: Study) -> Table | None:
    found = compare(study.results.run, study.results.record)
    if found is None:
        return None
    headings = ["sampler"]
    for name in found.metrics:
        headings += [f"{_heading(name)} ours", f"{name} paper"]
    rows: list[list[Value | str]] = []
    for label, pairs in found.rows.items():
        row: list[Value | str] = [Value(text=label, strong=True)]
        for name, (ours, paper) in zip(found.metrics, pairs, strict=True):
            form = found.form(name)
            row += [_mean(ours, form) if ours else "–", number(paper, form) if paper is not None else "–"]
        rows.append(row)
    return Table(
        name="paper",
        title=f"Beside {found.source}",
        headings=tuple(headings),
        rows=rows,
        note=f"Ours: mean ± 95 % confidence interval over seeds at {found.labels:,} labels (references: all "
        "labels). Seconds depend on the machine.",
    )


def _mean(mean: Mean, form: str = ".3f", *, strong: bool = False) -> Value:
    value = interval(mean.value, mean.half, form, strong=strong)
    if not mean.undefined:
        return value
    return Value(text=f"{value.text} ({mean.undefined} undefined)", number=value.number, strong=strong)


def _sure(study: Study, row: Row) -> bool:
    pair = study.pairs.get((row.label, study.random or ""))
    return pair is not None and pair.significant and pair.value > 0


def _unfinished(rows: Sequence[Row]) -> list[str]:
    few = [f"{row.label} ({row.count})" for row in rows if row.finished < row.seeds]
    return [f"Not all seeds are finished, and means are over fewer of them: {', '.join(few)}."] if few else []


def _heading(name: str) -> str:
    return {"query_seconds": "query s", "overall_seconds": "overall s"}.get(name) or arrow(name)
