"""Learning curves, of every metric."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.api.records import FULL_DATA
from alharness.report.charts import keys
from alharness.report.curves import learning_curves, not_drawn, plot
from alharness.report.document import Picture, Section
from alharness.report.pictures import legend, taller
from alharness.results.basis import seed_list
from alharness.results.statistics import ENOUGH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alharness.report.pictures import Styles
    from alharness.results.basis import SeedSet
    from alharness.results.run import RunResults

WIDE = (9.6, 4.8)
"""Inches of the picture that most readers come for."""


def section(results: RunResults, styles: Styles) -> Section:
    """The metric that ranks in front, the others folded away."""
    first, *others = results.basis.seed_sets

    def picture(metric: str, seed_set: SeedSet, fewer: int = 0) -> Picture:
        def draw(figure: Figure) -> None:
            axes = figure.add_subplot()
            if plot(axes, results, seed_set, metric, styles):
                legend(figure)
            axes.set_title(f"{metric} ({results.run.better(metric)} is better)", fontsize=10)

        leads, labels = metric == results.metric and not fewer, ", ".join(seed_set.rows)
        title = f"{metric} over {seed_list(seed_set.seeds)}: {labels}" if fewer else metric
        return Picture(
            name=f"curve_{metric}_fewer_seeds_{fewer}" if fewer else f"curve_{metric}",
            title=f"{metric}, which ranks" if leads and not results.run.project else title,
            text=f"Learning curves: {metric} against labels, one line for each of {labels}",
            draw=draw,
            size=taller(WIDE, seed_set.rows) if leads else taller(Picture.size, seed_set.rows),
            charts=learning_curves(results, seed_set, metric, styles),
            folded=not leads and not (fewer and results.run.stopping),
        )

    absent, measured = not_drawn(results.basis), results.run.project
    return Section(
        anchor="curves",
        title="Learning curves",
        paragraphs=[
            f"{measured[0].upper()}{measured[1:]}." if measured else _about(results, first),
            f"{absent[0].upper()}{absent[1:]}; their curves over fewer seeds follow." if absent else "",
        ],
        legend=keys(styles, FULL_DATA if any(found.reference for found in results.basis.seed_sets) else ""),
        pictures=[
            *(picture(metric, first) for metric in results.metrics()),
            *(picture(results.metric, lacking, i) for i, lacking in enumerate(others, 1) if lacking.labels),
        ],
    )


def _about(results: RunResults, seed_set: SeedSet) -> str:
    return f"Means over {seed_list(seed_set.seeds)}, which all of these samplers share{_around(results, seed_set)}"


def _around(results: RunResults, seed_set: SeedSet) -> str:
    if results.run.stopping:
        return ", without intervals: those of a mean need a number of seeds that was chosen beforehand."
    if len(seed_set.seeds) == 1:
        return ": no interval can be given."
    if len(seed_set.seeds) < ENOUGH:
        return (
            f"; thin lines are single seeds. Intervals are drawn from {ENOUGH} seeds on: of two, they would be "
            "12.7 standard errors to each side, and hide the curves."
        )
    return (
        "; bands are 95 % confidence intervals of the mean by Student's t, cut if they reach far beyond all "
        "single seeds. Bands that overlap may still hide a difference, since seeds are paired: see the tests "
        "below."
    )
