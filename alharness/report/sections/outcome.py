"""What each sampler reached: the table of metrics, that of the paper, and single classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alharness.report.answers import correction, kind_of_test
from alharness.report.cells import Column, Table, averaged, bold, count, parts
from alharness.report.document import Section
from alharness.report.tables import arrow, compared_with_paper, finals, seeds_column

if TYPE_CHECKING:
    from alharness.results.run import RunResults

SINGLE = "f1_"
"""The beginning of the names of metrics of single classes; also of `f1_macro` and of sentiment metrics."""
MANY = 3
"""Metrics that begin so, from which on they are those of classes, and get a table of their own."""


def section(results: RunResults) -> Section:
    """Tables of means, over the same seeds in each part."""
    run, rows, last = results.run, results.summary, f"{results.labeled[-1]:,} labels"
    single = [name for name in results.metrics() if name.startswith(SINGLE) and name not in run.headline]
    if len(single) < MANY:
        single = []
    numbers = Column("n", [count(len(row.over), row.seeds) for row in rows])
    seeds = seeds_column(results, [row.over for row in rows])
    apart = parts(row.seed_set for row in rows)
    quality = Table(
        name="outcome",
        title=results.averaged.capitalize(),
        columns=[
            Column("sampler", [bold(f"{x.label} ({x.labels:,} labels)" if x.reference else x.name) for x in rows]),
            numbers,
            Column(
                f"area of {arrow(run, run.metric)}",
                [averaged(row.area, strong=row.label in results.advice.shown) for row in rows],
                name="area",
                strong="better_than_random",
            ),
            *finals(run, rows, [name for name in results.metrics() if name not in single]),
            *seeds,
        ],
        apart=apart,
        note="n: seeds that are averaged. Rows over the same seeds may be compared; a sampler that lacks seeds "
        "comes with Random over the seeds that both have. A metric that is undefined for one of them in a seed is "
        "averaged over the other seeds for all. Area: under the curve over the labeled count, divided by its "
        f"range. An area in bold is {_shown(results)}. Nothing else here is tested. "
        f"{results.basis.replicated}".rstrip(),
    )
    classes = Table(
        name="classes",
        title="F1 of single classes",
        columns=[
            Column("sampler", [bold(row.label) for row in rows]),
            numbers,
            *(
                replace(column, text=name.removeprefix(SINGLE))
                for name, column in zip(single, finals(run, rows, single), strict=True)
            ),
            *seeds,
        ],
        apart=apart,
        note=f"At {last}; higher is better.",
    )
    return Section(
        anchor="outcome",
        title=f"After the last cycle, at {last}",
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
        tables=list(filter(None, [quality, classes if single else None, compared_with_paper(results)])),
    )


def _shown(results: RunResults) -> str:
    run = results.run
    if run.stopping:
        return "shown to be better than Random's, see below"
    return f"significantly better than Random's ({kind_of_test(run)}, {correction(run)} correction)"
