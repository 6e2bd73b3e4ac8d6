"""Samplers over several settings: ranks, scores on a common scale, and the critical-difference diagram."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from alharness.report.answers import correction
from alharness.report.cells import Column, Table, Value, bold, number
from alharness.report.charts import Curve, chart, keys
from alharness.report.document import Picture, Section
from alharness.report.overall import ends, friedman, over, rounded
from alharness.report.pictures import beyond, legend, line, names, taller
from alharness.results.scores import EQUIVALENT
from alharness.results.settings import summed_penalties
from alharness.text.numbers import NOTHING, fixed, share, significant

from .differences import penalty_matrix

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from alharness.report.pictures import Styles
    from alharness.results.aggregate import Estimate
    from alharness.results.settings import Settings

MEANINGS = {
    "above Random": "Above Random: its interquartile mean score less Random's, paired by seed.",
    "beats Random": "Beats Random: probability that a run is better than one of Random in the same setting.",
    "better in practice": f"Better in practice: probability to be better by more than {EQUIVALENT} of the score, "
    "by the Bayesian signed-rank test over settings.",
    "significant in": "Significant in: settings in which it is better and worse than Random, corrected over all "
    "of them.",
    "speed-up": "Speed-up: Random's labels divided by the sampler's, for values that both reach, geometric mean "
    "over settings.",
    "query s": "Query: median over settings.",
    "score": "Score: interquartile mean.",
}
"""Columns of the table of samplers, explained."""
POINTS = 101
"""Of a performance profile."""


def samplers(found: Settings) -> Section:
    """The table of what is known of each sampler over all settings."""
    scored = found.scores
    about = (
        "Every run is a setting of its own: their seeds are never pooled, whether their data are the same or not. "
        "Samplers are compared over the seeds that all of them have in a setting."
    )
    refusals = [scored.refusal, *scored.left_out, scored.without_intervals, scored.without_posterior]
    return Section(
        anchor="samplers",
        title="Samplers over all settings",
        paragraphs=[
            about,
            *found.left_out,
            *(refusals if found.ranking.settings else ["No setting can be ranked."]),
        ],
        tables=[_table(found)] if found.ranking.settings else [],
    )


def scores(found: Settings, styles: Styles) -> Section | None:
    """Interquartile means and performance profiles; None without a common scale."""
    scored = found.scores
    if scored.refusal:
        return None
    about = (
        f"A score of 0 is Random's mean area in the same setting, and 1 is more than that by {scored.unit}; "
        f"larger is better for every metric (n: {over(found)}). The interquartile mean is that of the middle half "
        "of all runs. Intervals are from resamples of the seeds of each setting, the same for all samplers, and "
        "speak of other seeds of the same settings (Agarwal et al., 2021)."
    )
    return Section(
        anchor="scores",
        title="Scores on a common scale",
        paragraphs=[about, scored.without_intervals],
        legend=[key for label, key in zip(styles, keys(styles), strict=True) if label in found.common],
        pictures=[_profiles(found, styles), _gains(found, styles)],
    )


def ranks(found: Settings, styles: Styles) -> Section:
    """Average ranks, and how often samplers beat each other along the curves."""
    ranking, pictures = found.ranking, list[Picture]()
    about = (
        "Samplers are ranked in each setting by the mean area under its curve, over the seeds that all of them "
        "have there, 1 being the best; ties share."
    )
    paragraphs = [about]
    if not ranking.settings:
        paragraphs.append("No setting can be ranked.")
    elif ranking.refusal:
        paragraphs.append(ranking.refusal)
    else:
        paragraphs.append(
            f"{friedman(ranking)}. Nemenyi's critical difference of average ranks at 5 % is "
            f"{fixed(ranking.critical, 2)}; samplers joined by a bar are not significantly different."
            + ("" if ranking.p < 0.05 else " As Friedman's test shows nothing, neither does the diagram.")
        )
        pictures.append(_diagram(found, styles))
    if summed := summed_penalties(found):
        paragraphs.append(
            f"The penalty matrices of the {len(found.runs)} settings are added up, with "
            f"{correction(*found.plans)} correction over the {summed.tests} tests of all of them. The largest "
            "possible entry is the number of settings."
        )
        pictures.append(penalty_matrix(summed, most=len(found.runs)))
    return Section(anchor="ranks", title="Ranks", paragraphs=paragraphs, pictures=pictures)


def _table(found: Settings) -> Table:
    ranking, scored = found.ranking, found.scores
    order = [found.common[i] for i in np.argsort(ranking.average, kind="stable")]
    rivals = {label for _, label in found.against_random}

    def column(text: str, cell: Callable[[str], Value | str], name: str = "") -> Column:
        return Column(text, [cell(x) if x in rivals else NOTHING for x in order], name=name)

    times = [number(_query(found, label), significant) for label in order]
    columns = [
        Column("sampler", [bold(label) for label in order]),
        Column("rank", [number(ranking.of(label), 2) for label in order]),
        Column("query s", times, name="query_seconds"),
    ]
    if rivals:
        columns[2:2] = [
            column("significant in", lambda x: _won(found, x), "significant"),
            column("speed-up", lambda x: estimated(found.speed_ups[x][1]), "speed_up"),
        ]
    if not scored.refusal:
        columns[2:2] = [
            column("above Random", lambda x: estimated(scored.gain(x), 3), "above_random"),
            column("beats Random", lambda x: estimated(scored.improvement(x)), "beats_random"),
        ]
        if not scored.without_posterior:
            columns.insert(4, column("better in practice", lambda x: number(scored.posterior(x).better, share)))
        columns.append(Column("score", [estimated(scored.interquartile_mean(x), 3) for x in order], name="score"))
    return Table(
        name="samplers",
        title="Samplers over all settings, with 95 % intervals in brackets",
        columns=columns,
        note=" ".join(
            [
                f"n: {over(found)}.",
                *(MEANINGS[column.text] for column in columns if column.text in MEANINGS),
                "An interval speaks of one sampler alone, and is no test.",
            ]
        ),
    )


def _won(found: Settings, label: str) -> Value:
    """In how many settings a sampler is significantly better than Random, and worse."""
    pairs = [pair for (_, other), pair in found.against_random.items() if other == label]
    better, worse = sum(pair.better for pair in pairs), sum(pair.worse for pair in pairs)
    return Value(
        text=f"{better} better, {worse} worse",
        number=better - worse,
        more={"better": better, "worse": worse, "of": len(pairs)},
    )


def estimated(estimate: Estimate | None, decimals: int = 2) -> Value:
    """A number with its interval in brackets, if it has one."""
    if estimate is None or math.isnan(estimate.value):
        return Value(text=NOTHING)
    interval = ends(estimate, decimals)
    text = rounded(estimate.value, decimals)
    more = {"low": estimate.low, "high": estimate.high} if interval else {}
    return Value(text=f"{text} ({interval})" if interval else text, number=estimate.value, more=more)


def _query(found: Settings, label: str) -> float:
    times = [found.runs[name].row(label).costs["query_seconds"].value for name in found.seeds]
    known = [time for time in times if not math.isnan(time)]
    return median(known) if known else math.nan


def _gains(found: Settings, styles: Styles) -> Picture:
    """Interquartile means above Random's, with their intervals."""
    scores = found.scores
    order = sorted((x for x in found.common if x != scores.random), key=lambda x: scores.gain(x).value)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.axvline(0, color="#666666", linewidth=1, linestyle="--")
        for place, label in enumerate(order):
            gain, style = scores.gain(label), styles[label]
            if not math.isnan(gain.low):
                axes.plot([gain.low, gain.high], [place, place], color=style.color, linewidth=2)
            axes.plot(gain.value, place, style.marker, color=style.color, markersize=7)
        axes.set_yticks(range(len(order)), [styles[label].name for label in order])
        axes.set_ylim(-0.6, len(order) - 0.4)
        axes.set_xlabel(f"interquartile mean of scores above Random's; {over(found)}")
        axes.grid(alpha=0.3, axis="x")

    return Picture(
        name="scores",
        title="Interquartile mean of scores above Random's, with 95 % intervals",
        text="For each sampler, how far its interquartile mean score is above Random's, with its interval",
        draw=draw,
        size=(6.0 + beyond(order), 1.2 + 0.36 * len(order)),
    )


def _profiles(found: Settings, styles: Styles) -> Picture:
    """Which share of all runs has a score above each value."""
    scores = found.scores
    at = np.linspace(np.quantile(scores.values, 0.005), np.quantile(scores.values, 0.995), POINTS)
    profiles = {label: scores.profile(label, at) for label in found.common}
    curves = []
    for label, (part, below, above) in profiles.items():
        low, high = (below, above) if np.isfinite(below).all() else (None, None)
        curves.append(Curve(label=label, x=at, y=part, low=low, high=high, markers=False))

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for curve in curves:
            style = styles[curve.label]
            line(axes, style._replace(marker=""), curve.x, curve.y)
            if curve.low is not None and curve.high is not None:
                axes.fill_between(curve.x, curve.low, curve.high, color=style.color, alpha=0.12, linewidth=0)
        axes.set(xlabel=x_label, ylabel=y_label, ylim=(0, 1))
        axes.grid(alpha=0.3)
        legend(figure)

    legends = dict(zip(styles, keys(styles), strict=True))
    x_label, y_label = "score", "share of runs with a larger score"
    text = "Performance profiles: the share of all runs whose score is above each value, a line for each sampler"
    return Picture(
        name="profiles",
        title="Performance profiles: the share of runs with a score above a value; higher is better",
        text=text,
        draw=draw,
        size=taller(Picture.size, found.common),
        charts=[
            chart(curves, legends, title="", text=text, x_label=x_label, y_label=y_label, kind=kind)
            for kind in ("wide", "narrow")
        ],
    )


def _diagram(found: Settings, styles: Styles) -> Picture:
    def draw(figure: Figure) -> None:
        import pandas as pd
        from scikit_posthocs import critical_difference_diagram, posthoc_nemenyi_friedman

        shown = names(found.common)
        labels = list(shown.values())
        drawn = critical_difference_diagram(
            dict(zip(labels, found.ranking.average.tolist(), strict=True)),
            posthoc_nemenyi_friedman(pd.DataFrame(found.ranking.ranks, columns=labels)),
            ax=figure.add_subplot(),
            color_palette={text: styles[label].color for label, text in shown.items()},
        )
        for (bar,) in drawn["crossbars"]:
            bar.set_xdata(sorted(bar.get_xdata()))  # its points come from a set, in another order each time

    return Picture(
        name="critical_difference",
        title="Critical-difference diagram of average ranks",
        text="Average ranks of the samplers on a line, with bars over those that may be equal",
        draw=draw,
        size=(7.5 + 2 * beyond(found.common), 1.4 + 0.22 * len(found.common)),
    )
