"""Learning curves, of every metric."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from alharness.metrics import LOWER_IS_BETTER
from alharness.report.curves import plot
from alharness.report.document import Picture, Section
from alharness.report.scores import known_metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alharness.report.study import Study


def section(study: Study) -> Section | None:
    """The metric that ranks in front, the others folded away."""
    if not study.labels:
        return None
    run = study.results.run
    return Section(
        anchor="curves",
        title="Learning curves",
        paragraphs=(
            (
                "Mean over the finished seeds of each sampler; bands are 95 % confidence intervals of the mean by "
                "Student's t. Bands that overlap may still hide a difference, since seeds are paired: see the "
                "tests below."
            ),
        ),
        pictures=[
            Picture(
                name=f"curve_{metric}",
                title=metric if metric != run.metric else f"{metric}, which ranks",
                text=f"Learning curves: {metric} on the test split against labels, one line per sampler",
                draw=partial(_draw, study=study, metric=metric),
                folded=metric != run.metric,
            )
            for metric in known_metrics(study.results)
        ],
    )


def _draw(figure: Figure, study: Study, metric: str) -> None:
    axes = figure.add_subplot()
    plot(axes, study.results.run, study.results.record, metric)
    axes.set_title(f"{metric} ({'lower' if metric in LOWER_IS_BETTER else 'higher'} is better)", fontsize=10)
