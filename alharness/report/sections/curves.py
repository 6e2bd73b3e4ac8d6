"""Learning curves, of every metric."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from alharness.report.curves import not_drawn, plot
from alharness.report.document import Picture, Section
from alharness.report.lettering import legend, taller
from alharness.results.basis import seed_list
from alharness.results.statistics import ENOUGH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alharness.report.palette import Styles
    from alharness.results.basis import SeedSet
    from alharness.results.run import RunResults

WIDE = (9.6, 4.8)
"""Inches of the picture that most readers come for."""


def section(results: RunResults, styles: Styles) -> Section | None:
    """The metric that ranks in front, the others folded away."""
    if not results.labels:
        return None
    run = results.run
    first, *others = results.basis.seed_sets
    pictures = [
        Picture(
            name=f"curve_{metric}",
            title=metric if metric != run.metric else f"{metric}, which ranks",
            size=taller(WIDE if metric == run.metric else Picture.size, first.rows),
            phone=taller(Picture.size, first.rows) if metric == run.metric else None,
            text=f"Learning curves: {metric} on the test split against labels, one line for each of "
            f"{', '.join(first.rows)}",
            draw=partial(_draw, results=results, seed_set=first, metric=metric, styles=styles),
            folded=metric != run.metric,
        )
        for metric in results.metrics()
    ]
    pictures += [
        Picture(
            name=f"curve_{run.metric}_fewer_seeds_{number}",
            title=f"{run.metric} over {seed_list(seed_set.seeds)}: {', '.join(seed_set.rows)}",
            text=f"Learning curves of samplers that lack seeds: {run.metric} against labels",
            draw=partial(_draw, results=results, seed_set=seed_set, metric=run.metric, styles=styles),
            folded=True,
            size=taller(Picture.size, seed_set.rows),
        )
        for number, seed_set in enumerate(others, 1)
        if seed_set.labels
    ]
    absent = not_drawn(results.basis)
    return Section(
        anchor="curves",
        title="Learning curves",
        paragraphs=(
            (f"Means over {seed_list(first.seeds)}, which all of these samplers have finished{_around(first)}"),
            *([f"{absent[0].upper()}{absent[1:]}; their curves over fewer seeds follow."] if absent else []),
        ),
        pictures=pictures,
    )


def _around(seed_set: SeedSet) -> str:
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


def _draw(figure: Figure, results: RunResults, seed_set: SeedSet, metric: str, styles: Styles) -> None:
    axes = figure.add_subplot()
    if plot(axes, results, seed_set, metric, styles):
        legend(figure)
    axes.set_title(f"{metric} ({results.run.better(metric)} is better)", fontsize=10)
