"""What each sampler reached: the table of metrics, that of the paper, and single classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.report.document import Column, Section, Table, Value, count, interval, number
from alharness.report.table import arrow, parts
from alharness.results.basis import listed
from alharness.results.paper import COSTS, compare_with_paper
from alharness.text import spreadsheets
from alharness.text.numbers import significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.api.records import Plan
    from alharness.results.run import RunResults
    from alharness.results.statistics import Mean
    from alharness.results.summary import SummaryRow

SINGLE = "f1_"
"""The beginning of the names of metrics of single classes; also of `f1_macro` and of sentiment metrics."""
MANY = 3
"""Metrics that begin so, from which on they are those of classes, and get a table of their own."""


def section(results: RunResults) -> Section | None:
    """Tables of means, over the same seeds in each part."""
    run = results.run
    if not results.basis.cells:
        return None
    metrics = results.metrics()
    single = [name for name in metrics if name.startswith(SINGLE) and name not in run.headline]
    if len(single) < MANY:
        single = []
    tables = [
        _quality(results, [name for name in metrics if name not in single]),
        _classes(results, single) if single else None,
        _paper(results),
    ]
    return Section(
        anchor="outcome",
        title=f"After the last cycle, at {results.labeled[-1]:,} labels",
        paragraphs=[
            *results.basis.gaps(),
            *results.basis.refused,
            *results.basis.mixed,
            "Samplers are compared over the seeds that both have, and means next to each other are over the same "
            "seeds. A sampler may fail in just those seeds that are hard for it."
            if results.basis.gaps()
            else "",
            f"{run.paper.source}: its figures are shown with results on real data only."
            if run.paper and run.synthetic
            else "",
        ],
        tables=[table for table in tables if table],
    )


def _quality(results: RunResults, metrics: Sequence[str]) -> Table:
    """Areas, and metrics after the last cycle."""
    run = results.run
    return Table(
        name="outcome",
        title="Mean ± 95 % confidence interval over seeds",
        headings=(
            *("sampler", "n"),
            Column(text=f"area of {arrow(run, run.metric)}", name="area", strong="better_than_random"),
            *(Column(text=arrow(run, name), name=spreadsheets.name(name)) for name in metrics),
            *_seeds_heading(results),
        ),
        rows=[
            [
                Value(text=f"{row.label} ({row.labels:,} labels)" if row.reference else row.label, strong=True),
                count(len(row.over), row.seeds),
                _mean(row.area, strong=row.label in results.advice.shown),
                *_final(results, row, metrics),
            ]
            for row in results.summary
        ],
        apart=parts(row.seed_set for row in results.summary),
        note="n: seeds that are averaged. Rows over the same seeds may be compared; a sampler that lacks seeds "
        "comes with Random over the seeds that both have. A metric that is undefined for one of them in a seed is "
        "averaged over the other seeds for all. Area: under the curve over the labeled count, divided by its "
        "range. An area in bold is significantly better than Random's (paired t-test, Holm's correction). Nothing "
        "else here is tested.",
    )


def _classes(results: RunResults, metrics: Sequence[str]) -> Table:
    """F1 of single classes after the last cycle."""
    return Table(
        name="classes",
        title="F1 of single classes",
        headings=(
            *("sampler", "n"),
            *(Column(text=name.removeprefix(SINGLE), name=spreadsheets.name(name)) for name in metrics),
            *_seeds_heading(results),
        ),
        rows=[
            [Value(text=row.label, strong=True), count(len(row.over), row.seeds), *_final(results, row, metrics)]
            for row in results.summary
        ],
        apart=parts(row.seed_set for row in results.summary),
        note=f"At {results.labeled[-1]:,} labels; higher is better.",
    )


def _final(results: RunResults, row: SummaryRow, metrics: Sequence[str]) -> list[Value | str]:
    """Metrics after the last cycle, and the seeds if rows are over different ones."""
    found = [_mean(row.final[name]) if name in row.final else "–" for name in metrics]
    return [*found, *([listed(row.over)] if _seeds_heading(results) else [])]


def _paper(results: RunResults) -> Table | None:
    found = compare_with_paper(results)
    if found is None:
        return None
    headings: list[Column | str] = ["sampler"]
    for name in found.metrics:
        plain = spreadsheets.name(name)
        headings += [
            Column(text=f"{_heading(results.run, name)} ours", name=f"{plain}_ours"),
            Column(text=f"{name} paper", name=f"{plain}_paper"),
        ]
    rows: list[list[Value | str]] = []
    for label, seeds, pairs in found.rows:
        row: list[Value | str] = [Value(text=label, strong=True)]
        for name, (ours, paper) in zip(found.metrics, pairs, strict=True):
            write = significant if name in COSTS else None
            row += [_mean(ours) if ours else "–", number(paper, write) if paper is not None else "–"]
        rows.append([*row, *([listed(seeds)] if _seeds_heading(results) else [])])
    return Table(
        name="paper",
        title=f"Compared with {found.source}",
        headings=(*headings, *_seeds_heading(results)),
        rows=rows,
        apart=parts(seeds for _, seeds, _ in found.rows),
        note=f"Ours: mean ± 95 % confidence interval over seeds at {found.labels:,} labels (references: all "
        "labels). Seconds depend on the machine.",
    )


def _seeds_heading(results: RunResults) -> tuple[str, ...]:
    """A column that separates the parts of a table; none if all rows are over the same seeds."""
    return ("seeds",) if len(results.basis.seed_sets) > 1 else ()


def _mean(mean: Mean, *, strong: bool = False) -> Value:
    note = f"{mean.undefined} undefined" if mean.undefined else ""
    return interval(mean.value, mean.half, strong=strong, note=note)


def _heading(run: Plan, name: str) -> str:
    return {"query_seconds": "query s", "overall_seconds": "overall s"}.get(name) or arrow(run, name)
