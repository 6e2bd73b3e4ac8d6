"""Several settings in one table, their ranks, and the critical-difference diagram."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from alharness.report.curves import not_drawn, plot
from alharness.report.document import Column, Picture, Section, Table, Value, between, interval, number
from alharness.report.lettering import beyond, legend, names, taller
from alharness.report.table import arrow
from alharness.results.efficiency import ENOUGH_FOR_INTERVAL, saving
from alharness.results.settings import summed_penalties
from alharness.results.statistics import ENOUGH
from alharness.text import spreadsheets
from alharness.text.numbers import count, fixed, p_value

from .cells import sheet
from .differences import penalty_matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alharness.report.palette import Styles
    from alharness.results.efficiency import Saving
    from alharness.results.run import RunResults
    from alharness.results.settings import Settings


def section(found: Settings, styles: Styles) -> Section:
    """Ranks over settings."""
    ranking = found.ranking
    paragraphs = [
        (
            "Every run is a setting of its own: their seeds are never pooled, whether their data are the same or "
            "not. Samplers are ranked in each setting by the mean area under its curve, over the seeds that all "
            "of them have there, 1 being the best; ties share."
        ),
        *found.left_out,
    ]
    pictures = []
    if not ranking.settings:
        paragraphs.append("No setting can be ranked.")
    elif ranking.refusal:
        paragraphs.append(ranking.refusal)
    else:
        paragraphs.append(
            f"Friedman's test over {len(ranking.settings)} settings: {p_value(ranking.p)}, agreement W = "
            f"{fixed(ranking.agreement, 2)}. Nemenyi's critical difference of average ranks at 5 % is "
            f"{fixed(ranking.critical, 2)}; samplers joined by a bar are not significantly different."
            + ("" if ranking.p < 0.05 else " As Friedman's test shows nothing, neither does the diagram.")
        )
        pictures.append(
            Picture(
                name="critical_difference",
                title="Critical-difference diagram of average ranks",
                text="Average ranks of the samplers on a line, with bars over those that may be equal",
                draw=partial(_draw_ranks, found=found, styles=styles),
                size=(7.5 + 2 * beyond(found.common), 1.4 + 0.22 * len(found.common)),
            )
        )
    if summed := summed_penalties(found):
        paragraphs.append(
            f"The penalty matrices of the {len(found.runs)} settings are added up, with Holm's correction over "
            f"the {summed.tests} tests of all of them. The largest possible entry is the number of settings."
        )
        pictures.append(penalty_matrix(summed, most=len(found.runs)))
    return Section(
        anchor="ranks",
        title="Over all settings",
        paragraphs=paragraphs,
        pictures=pictures,
        tables=[_table(found)] if ranking.settings else [],
    )


def savings(found: Settings) -> Section | None:
    """Labels saved against Random in each setting."""
    ranked = {name: found.runs[name] for name in found.seeds}
    if not any(results.random for results in ranked.values()):
        return None
    rows: list[list[Value | str]] = []
    for label in found.common:
        row: list[Value | str] = [Value(text=label, strong=True)]
        for name, results in ranked.items():
            if results.random in (None, label):
                row += ["–", "–"]
                continue
            pair = found.against_random.get((name, label))
            claimed = label == found.best and pair is not None and pair.better
            row += _saved(saving(results, label, str(results.random), seeds=found.seeds[name]), claimed=claimed)
        rows.append(row)
    headings = []
    for name in ranked:
        plain = spreadsheets.name(name)
        headings += [
            Column(text=f"{name}: saved", name=f"{plain}_saved", strong=f"{plain}_claimed"),
            Column(text="95 % CI", name=f"{plain}_saved_ci"),
        ]
    table = Table(
        name="savings",
        title="Labels saved until Random's value after the last cycle",
        headings=("sampler", *headings),
        rows=rows,
        note="In bold: the sampler that is best over the settings is shown to be better than Random in this one, "
        "and the interval excludes 0. Nothing else here is tested. See the report of each run for what is "
        "counted.",
    )
    return Section(anchor="savings", title="Label efficiency", tables=[table])


def setting(name: str, results: RunResults, styles: Styles) -> Section:
    """The curves of one setting."""
    run = results.run
    return Section(
        anchor=f"setting-{run.experiment}",
        title=name,
        paragraphs=[
            f"{run.params.get('dataset', '')}, {run.params.get('model', '')}; data digest "
            f"{str(run.environment.get('data_sha256', 'unknown'))[:12]}."
            + (" SYNTHETIC DATA." if run.synthetic else "")
            + f" Everything about it: `alharness report {run.folder}`",
            *results.basis.gaps(),
            *results.basis.refused,
            *([f"The curves of some samplers are {absent}."] if (absent := not_drawn(results.basis)) else []),
        ],
        pictures=[
            Picture(
                name=f"curve_{run.experiment}",
                title=f"{results.metric} ({results.better})",
                text=f"Learning curves of {name}",
                draw=partial(_draw_curves, results=results, styles=styles),
                size=taller(Picture.size, results.basis.seed_sets[0].rows),
            )
        ],
        sheets=[sheet(results, f"cycles_{run.experiment}")],
    )


def _table(found: Settings) -> Table:
    order = np.argsort(found.ranking.average, kind="stable")
    rows = [
        [
            Value(text=found.common[i], strong=True),
            number(float(found.ranking.average[i]), partial(fixed, decimals=2)),
            *(interval(by[found.common[i]].value, by[found.common[i]].half) for by in found.areas.values()),
        ]
        for i in order
    ]
    metrics = [
        Column(
            text=f"{name}: {arrow(found.runs[name].run, found.runs[name].metric)} (n = {len(seeds)})",
            name=f"{spreadsheets.name(name)}_area",
        )
        for name, seeds in found.seeds.items()
    ]
    return Table(
        name="areas",
        title="Average rank, and mean area under the curve ± 95 % confidence interval over seeds",
        headings=("sampler", "rank", *metrics),
        rows=rows,
        note="Areas are over the seeds that all of these samplers have in a setting; with fewer than "
        f"{ENOUGH} of them it tests nothing.",
    )


def _saved(s: Saving, *, claimed: bool) -> list[Value | str]:
    if not np.isfinite(s.value):
        return ["not reached", "–"]
    interval = between(s.low, s.high) if s.n >= ENOUGH_FOR_INTERVAL else "–"
    return [number(s.value, count, strong=claimed and s.sure), interval]


def _draw_ranks(figure: Figure, found: Settings, styles: Styles) -> None:
    import pandas as pd
    from scikit_posthocs import critical_difference_diagram, posthoc_nemenyi_friedman

    shown = names(found.common)
    labels = list(shown.values())
    ranks = dict(zip(labels, found.ranking.average.tolist(), strict=True))
    p = posthoc_nemenyi_friedman(pd.DataFrame(found.ranking.ranks, columns=labels))
    drawn = critical_difference_diagram(
        ranks,
        p,
        ax=figure.add_subplot(),
        color_palette={text: styles[label].color for label, text in shown.items()},
    )
    for (bar,) in drawn["crossbars"]:
        bar.set_xdata(sorted(bar.get_xdata()))  # its points come from a set, in another order each time


def _draw_curves(figure: Figure, results: RunResults, styles: Styles) -> None:
    axes = figure.add_subplot()
    if plot(axes, results, results.basis.seed_sets[0], results.metric, styles):
        legend(figure)
