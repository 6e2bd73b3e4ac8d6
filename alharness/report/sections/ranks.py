"""Several settings in one table, their ranks, and the critical-difference diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alharness.report.answers import friedman
from alharness.report.curves import not_drawn, plot
from alharness.report.document import Column, Picture, Section, Table, averaged, bold, number
from alharness.report.pictures import beyond, legend, names, taller
from alharness.report.tables import arrow
from alharness.results.efficiency import saving
from alharness.results.settings import summed_penalties
from alharness.results.statistics import ENOUGH
from alharness.text import spreadsheets
from alharness.text.numbers import fixed

from .differences import penalty_matrix
from .efficiency import saved_cells
from .run import sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alharness.report.pictures import Styles
    from alharness.results.run import RunResults
    from alharness.results.settings import Settings


def section(found: Settings, styles: Styles) -> Section:
    """Ranks over settings."""
    ranking, pictures = found.ranking, list[Picture]()
    about = (
        "Every run is a setting of its own: their seeds are never pooled, whether their data are the same or not. "
        "Samplers are ranked in each setting by the mean area under its curve, over the seeds that all of them "
        "have there, 1 being the best; ties share."
    )
    paragraphs = [about, *found.left_out]
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
    columns = [Column("sampler", list(map(bold, found.common)))]
    for name, results in ranked.items():
        random, rows = results.random, []
        for label in found.common:
            pair = found.against_random.get((name, label))
            claimed = label == found.best and pair is not None and pair.better
            other = random is not None and random != label
            saved = saving(results, label, str(random), seeds=found.seeds[name]) if other else None
            rows.append(saved_cells(saved, results.labeled[-1], claimed=claimed))
        fewer, _, intervals = zip(*rows, strict=True)
        plain = spreadsheets.name(name)
        columns += [
            Column(f"{name}: saved", fewer, name=f"{plain}_saved", strong=f"{plain}_claimed"),
            Column("95 % CI", intervals, name=f"{plain}_saved_ci"),
        ]
    table = Table(
        name="savings",
        title="Labels saved until Random's value after the last cycle",
        columns=columns,
        note="In bold: the sampler that is best over the settings is shown to be better than Random in this one, "
        "and the interval excludes 0. Nothing else here is tested. See the report of each run for what is "
        "counted.",
    )
    return Section(anchor="savings", title="Label efficiency", tables=[table])


def setting(name: str, results: RunResults, styles: Styles) -> Section:
    """The curves of one setting."""
    run, first = results.run, results.basis.seed_sets[0]

    def draw(figure: Figure) -> None:
        if plot(figure.add_subplot(), results, first, results.metric, styles):
            legend(figure)

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
            f"The curves of some samplers are {absent}." if (absent := not_drawn(results.basis)) else "",
        ],
        pictures=[
            Picture(
                name=f"curve_{run.experiment}",
                title=f"{results.metric} ({results.better})",
                text=f"Learning curves of {name}",
                draw=draw,
                size=taller(Picture.size, first.rows),
            )
        ],
        sheets=[sheet(results, f"cycles_{run.experiment}")],
    )


def _table(found: Settings) -> Table:
    order = [found.common[i] for i in np.argsort(found.ranking.average, kind="stable")]
    heads = {name: arrow(results.run, results.metric) for name, results in found.runs.items()}
    return Table(
        name="areas",
        title="Average rank, and mean area under the curve ± 95 % confidence interval over seeds",
        columns=[
            Column("sampler", list(map(bold, order))),
            Column("rank", [number(found.ranking.of(label), 2) for label in order]),
            *(
                Column(
                    f"{name}: {heads[name]} (n = {len(seeds)})",
                    [averaged(found.areas[name][label]) for label in order],
                    name=f"{spreadsheets.name(name)}_area",
                )
                for name, seeds in found.seeds.items()
            ),
        ],
        note="Areas are over the seeds that all of these samplers have in a setting; with fewer than "
        f"{ENOUGH} of them it tests nothing.",
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
