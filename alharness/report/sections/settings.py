"""Settings side by side: differences to Random, curves, labels saved, areas, and where to find more of each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alharness.api.plan import RANDOM
from alharness.api.records import FULL_DATA
from alharness.report.answers import correction
from alharness.report.cells import Column, Table, Value, averaged, bold, count
from alharness.report.charts import keys
from alharness.report.curves import learning_curves, not_drawn, plot
from alharness.report.document import Picture, Section
from alharness.report.tables import BETTER, WORSE, arrow
from alharness.results.statistics import ENOUGH
from alharness.text import spreadsheets
from alharness.text.numbers import NOTHING, form, typeset

from .efficiency import saved_cells
from .run import sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

    from alharness.report.cells import Sheet
    from alharness.report.pictures import Styles
    from alharness.results.run import RunResults
    from alharness.results.settings import Settings

    Link = Callable[[RunResults], str]
    """File of a run's own page, relative to this one; empty if there is none."""

ACROSS = 4
"""Pictures of settings in a row."""
STRONGEST = 0.2
"""Difference in scores from which on a color is as strong as it gets."""


def differences(found: Settings, link: Link) -> Section | None:
    """Each sampler against Random in each setting, as a table with colors."""
    labels = list(dict.fromkeys(label for _, label in found.against_random))
    if not labels:
        return None
    names = list(found.runs)
    scored = dict(zip(found.scores.settings, range(len(names)), strict=False))
    columns: dict[str, list[Value | str]] = {label: [] for label in labels}
    for name in names:
        pairs = {label: found.against_random[name, label] for label in labels}
        known = [d for d in pairs.values() if d.n]
        write = form([d.value for d in known], [d.half for d in known]).number
        for label, d in pairs.items():
            if not d.n:
                columns[label].append(NOTHING)
                continue
            sign = BETTER if d.better else WORSE if d.worse else ""
            score = found.scores.differences[label][scored[name]] if name in scored else math.nan
            columns[label].append(
                Value(
                    text=f"{sign}{'+' if d.value > 0 else ''}{typeset(write(d.value))}",
                    number=d.value,
                    strong=d.significant,
                    shade=0.0 if math.isnan(score) else float(score) / STRONGEST,
                    more={"n": d.n, "p": d.p, "p_adjusted": d.adjusted} if not math.isnan(d.p) else {"n": d.n},
                )
            )
    table = Table(
        name="differences_to_random",
        title="Difference of areas to Random, in units of the metric; positive is better",
        columns=[
            Column("setting", [_named(name, found.runs[name], link) for name in names]),
            Column("metric", [found.runs[name].metric for name in names]),
            *(
                Column(label, cells, name=f"{spreadsheets.name(label)}_difference")
                for label, cells in columns.items()
            ),
        ],
        note=f"{_marks(found)} Paired by seed. Colors: the difference on the common scale of scores, blue for "
        f"better and orange for worse, strongest at {STRONGEST}; they test nothing.",
    )
    return Section(anchor="differences", title="Differences to Random", tables=[table])


def _marks(found: Settings) -> str:
    """What the signs of the table of differences mean."""
    fixed = [one.run for name, one in found.runs.items() if name not in found.stopping]
    parts = []
    if fixed:
        over = f"{correction(*fixed)} correction over all {found.tests} comparisons"
        parts.append(f"▲ and bold: significantly better than Random at 5 %, ▼: worse, after {over}.")
    if found.stopping:
        parts.append("If seeds stop, ▲ and ▼ are what was decided, with the confidence of that setting.")
    return " ".join(parts)


def curves(found: Settings, styles: Styles, link: Link) -> Section | None:
    """The curves of all settings, small."""
    shown = {name: results for name, results in found.runs.items() if results.basis.seed_sets}
    shown = {name: results for name, results in shown.items() if results.basis.seed_sets[0].labels}
    if not shown:
        return None
    across = min(ACROSS, len(shown))
    rows = -(-len(shown) // across)

    def draw(figure: Figure) -> None:
        # Placed by hand: the layout that avoids overlaps takes longer than everything else.
        figure.set_layout_engine(None)
        width, height = figure.get_size_inches()
        figure.subplots_adjust(
            left=0.5 / width,
            right=1 - 0.1 / width,
            bottom=0.9 / height,
            top=1 - 0.45 / height,
            wspace=0.25,
            hspace=0.35,
        )
        for place, (name, results) in enumerate(shown.items(), 1):
            axes = figure.add_subplot(rows, across, place)
            plot(axes, results, results.basis.seed_sets[0], results.metric, styles, whole=False)
            axes.set_xlabel("")
            axes.set_ylabel("")
            axes.tick_params(labelsize=7)
            axes.set_title(f"{_short(name)}: {arrow(results.run, results.metric)}", fontsize=8)
        _one_legend(figure)

    references = any(results.basis.seed_sets[0].reference for results in shown.values())
    seeds = sorted({len(results.basis.seed_sets[0].seeds) for results in shown.values()})
    over = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    about = (
        f"Means over the seeds that most samplers of a setting have ({over}); bands are 95 % confidence "
        f"intervals, thin lines single seeds if there are fewer than {ENOUGH}."
        f"{' Settings whose seeds stop have no bands.' if found.stopping else ''}"
    )
    return Section(
        anchor="curves",
        title="Learning curves",
        paragraphs=[about],
        legend=keys(styles, FULL_DATA if references else ""),
        pictures=[
            Picture(
                name="curves",
                title="The metric that ranks, against labels",
                text=f"Learning curves of {len(shown)} settings",
                draw=draw,
                size=(3.1 * across, 2.2 * rows + 1.1),
                charts=[
                    chart
                    for name, results in shown.items()
                    for chart in learning_curves(
                        results, results.basis.seed_sets[0], results.metric, styles, title=name, link=link(results)
                    )
                ],
            )
        ],
    )


def savings(found: Settings) -> Section | None:
    """Labels saved against Random in each setting."""
    names = [name for name in found.seeds if found.runs[name].random]
    if not names:
        return None
    columns = []
    for label in found.common:
        cells = []
        for name in names:
            pair = found.against_random.get((name, label))
            claimed = label == found.best and pair is not None and pair.better
            saved = found.savings.get((name, label))
            fewer, _, interval = saved_cells(saved, found.runs[name].labeled[-1], claimed=claimed)
            cells.append(_with_interval(fewer, interval))
        if any(cell != NOTHING for cell in cells):
            plain = spreadsheets.name(label)
            columns.append(Column(label, cells, name=f"{plain}_saved", strong=f"{plain}_claimed"))
    table = Table(
        name="savings",
        title="Labels saved until Random's value after the last cycle, with 95 % intervals in brackets",
        columns=[Column("setting", list(map(bold, names))), *columns],
        note="In bold: the sampler that is best over the settings is shown to be better than Random in this one, "
        "and the interval excludes 0. Nothing else here is tested. See the report of each run for what is "
        "counted.",
    )
    return Section(anchor="savings", title="Label efficiency", tables=[table])


def listing(found: Settings, link: Link) -> Section:
    """Every setting: what it is, the areas in it, and its own page."""
    runs = found.runs
    missing = [name for name, results in runs.items() if not link(results)]
    some = f" {missing[0]}" if missing else ""
    command = f"`alharness report {runs[missing[0]].run.folder}`" if missing else ""
    notes = []
    for name, results in runs.items():
        absent = not_drawn(results.basis) if results.basis.seed_sets else ""
        told = [*results.basis.gaps(), *results.basis.refused, f"Curves {absent}." if absent else ""]
        notes += [f"{name}: {text}" for text in told if text]
    chosen = [str(results.run.params.get("initial", RANDOM)) for results in runs.values()]
    about = Table(
        name="settings",
        title="Settings",
        columns=[
            Column("setting", [_named(name, results, link) for name, results in runs.items()], name="setting"),
            *(
                Column(what, [str(results.run.params.get(what, NOTHING)) for results in runs.values()])
                for what in ("dataset", "model")
            ),
            *([Column("initial pool", chosen)] if set(chosen) != {RANDOM} else []),
            Column("labels", [_budget(results) for results in runs.values()]),
            Column("samplers", [count(len(results.run.labels)) for results in runs.values()]),
            Column("seeds", [count(len(found.seeds.get(name, ()))) for name in runs]),
            Column("metric", [arrow(results.run, results.metric) for results in runs.values()]),
            Column("data digest", [_digest(results) for results in runs.values()]),
            Column("synthetic", ["yes" if results.run.synthetic else "no" for results in runs.values()]),
            Column("run directory", [str(results.run.folder) for results in runs.values()]),
        ],
        note="Seeds: those that all ranked samplers have. Cycles: every metric and cost of every cycle.",
    )
    return Section(
        anchor="settings",
        title="Settings",
        paragraphs=[
            f"{len(missing)} of {len(runs)} runs have no page of their own yet: {command} makes that of{some}, "
            "and `--each` those of all."
            if missing
            else "",
            *notes,
        ],
        tables=[about, *([_areas(found)] if found.seeds else [])],
        sheets=list(_sheets(found)),
    )


def _areas(found: Settings) -> Table:
    """Mean areas with intervals, a row for each setting."""
    names = list(found.seeds)
    return Table(
        name="areas",
        title="Mean area under the curve ± 95 % confidence interval over seeds",
        columns=[
            Column("setting", list(map(bold, names))),
            Column("metric", [arrow(found.runs[name].run, found.runs[name].metric) for name in names]),
            Column("n", [count(len(found.seeds[name])) for name in names]),
            *(
                Column(
                    label,
                    [averaged(found.areas[name][label]) for name in names],
                    name=f"{spreadsheets.name(label)}_area",
                )
                for label in found.common
            ),
        ],
        note="Over the seeds that all of these samplers have in a setting; with fewer than "
        f"{ENOUGH} of them it tests nothing.",
    )


def _named(name: str, results: RunResults, link: Link) -> Value:
    return Value(text=name, strong=True, link=link(results))


def _short(name: str) -> str:
    return (name if len(name) <= 24 else f"{name[:11]}…{name[-11:]}").replace("$", r"\$")


def _budget(results: RunResults) -> str:
    return f"{results.labeled[0]:,} to {results.labeled[-1]:,}"


def _digest(results: RunResults) -> str:
    return str(results.run.environment.get("data_sha256", "unknown"))[:12]


def _with_interval(fewer: Value | str, interval: Value | str) -> Value | str:
    """Labels saved, and their interval in brackets."""
    if not isinstance(fewer, Value) or not isinstance(interval, Value):
        return fewer
    return Value(
        text=f"{fewer.text} ({interval.text})",
        number=fewer.number,
        note=fewer.note,
        strong=fewer.strong,
        more=interval.more,
    )


def _one_legend(figure: Figure) -> None:
    """Of all axes together: each sampler once."""
    first: dict[str, Artist] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            first.setdefault(label.rpartition(" (n = ")[0], handle)
    figure.legend(
        list(first.values()), list(first), loc="lower center", ncols=min(len(first), 6), fontsize=8, frameon=False
    )


def _sheets(found: Settings) -> Sequence[Sheet]:
    """Every number of every cell, in a file for each setting."""
    return [
        sheet(results, f"cycles_{results.run.experiment}", f"cycles of {name}")
        for name, results in found.runs.items()
    ]
