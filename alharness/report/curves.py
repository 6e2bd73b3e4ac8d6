"""Learning curves: in the report, at the end of a run, and in notebooks."""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from alharness.api.records import FULL_DATA
from alharness.results.basis import seed_list
from alharness.results.efficiency import saving
from alharness.results.statistics import ENOUGH, alike
from alharness.runs.files import write
from alharness.text.numbers import count

from .charts import Curve, Distance, chart, keys
from .pictures import DPI, REFERENCE, count_labels, legend, line, styles, taller

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from alharness.results.basis import Basis, SeedSet
    from alharness.results.run import RunResults

    from .charts import Chart
    from .pictures import Styles

SIZE = (7.0, 4.5)
"""Inches of the curves of a run by themselves."""


def curves(results: RunResults, seed_set: SeedSet, metric: str) -> list[Curve]:
    """Mean curves of a metric over the seeds of a seed set, the reference last.

    With each comes its 95 % interval, or each seed if these are too few for a useful one; neither if seeds stop.
    """
    x, n = np.array(results.labeled, float), len(seed_set.seeds)
    rows = {label: results.curves(label, seed_set.seeds, metric) for label in seed_set.rows}
    points = [alike({label: found[:, cycle] for label, found in rows.items()}) for cycle in range(len(x))]
    found = []
    for label, single in rows.items():
        means = [point[label] for point in points]
        y = np.array([mean.value for mean in means])
        half = np.array([mean.half if mean.n >= ENOUGH else 0.0 for mean in means])
        low, high = (y - half, y + half) if n >= ENOUGH and not results.run.stopping else (None, None)
        few = [*single] if 1 < n < ENOUGH and label != FULL_DATA else []
        found.append(Curve(label=label, x=x, y=y, low=low, high=high, single=few))
    return found


def view(
    found: Sequence[Curve], results: RunResults, seed_set: SeedSet, metric: str
) -> tuple[float, float] | None:
    """Values that keep the curves of single seeds in view: wide intervals reach beyond by half of their range.

    None if no value is known.
    """
    rows = [
        curve.y if curve.label == FULL_DATA else results.curves(curve.label, seed_set.seeds, metric).ravel()
        for curve in found
    ]
    seen = np.concatenate([*rows, np.zeros(0)])
    known = seen[np.isfinite(seen)]
    if not len(known):
        return None
    low, high = float(known.min()), float(known.max())
    room = (high - low) / 2 or abs(high) / 20 or 0.05
    return (low - room, high + room) if math.isfinite(high + room) and math.isfinite(low - room) else None


def saved(results: RunResults, seed_set: SeedSet, metric: str, styles: Styles) -> Distance | None:
    """Between two curves: the labels that the recommended sampler saves against Random, if that is sure."""
    best, random = results.advice.label, results.random
    if metric != results.metric or best in (None, random) or not {best, random} <= {*seed_set.labels} & {*styles}:
        return None
    found = saving(results, str(best), str(random), seeds=seed_set.seeds)
    if not ((found.sure or results.run.stopping) and found.value > 0):
        return None
    goal = float(results.curves(str(random), seed_set.seeds)[:, -1].mean())
    text = f"{styles[str(best)].name}: {count(found.value)} labels fewer"
    return Distance(x=(found.needed, found.reference), y=goal, text=text, above=not results.lower_is_better)


def plot(
    axes: Axes, results: RunResults, seed_set: SeedSet, metric: str, styles: Styles, *, whole: bool = True
) -> bool:
    """Draw the mean curves of a metric against labels, without a legend; False without any.

    Args:
        axes: the axes to draw on.
        results: a run.
        seed_set: the samplers to draw.
        metric: which metric.
        styles: label of a sampler -> its style.
        whole: with the labels that are saved; they need the room of a picture of its own.
    """
    n = len(seed_set.seeds)
    found = [curve for curve in curves(results, seed_set, metric) if curve.label in (*styles, FULL_DATA)]
    for curve in found:
        if curve.label != FULL_DATA:
            style = styles[curve.label]
            line(axes, style, curve.x, curve.y, f"{style.name} (n = {n})")
            for seed in curve.single:
                axes.plot(curve.x, seed, style.line, color=style.color, alpha=0.5, linewidth=0.6, label="_seed")
            if curve.low is not None and curve.high is not None:
                axes.fill_between(curve.x, curve.low, curve.high, color=style.color, alpha=0.15, linewidth=0)
        elif axes.lines:
            name, gray = reference_name(results, n), REFERENCE.color
            axes.axhline(curve.y[-1], color=gray, linestyle="--", linewidth=1, label=name)
            if curve.low is not None and curve.high is not None:
                axes.axhspan(curve.low[-1], curve.high[-1], color=gray, alpha=0.1, linewidth=0)
    if not axes.lines:
        return False
    if limits := view(found, results, seed_set, metric):
        bottom, top = axes.get_ylim()
        axes.set_ylim(max(bottom, limits[0]), min(top, limits[1]))
    if distance := saved(results, seed_set, metric, styles) if whole else None:
        _measure(axes, distance)
    count_labels(axes)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.set(xlabel=labels_axis(results), ylabel=metric_axis(results, metric))
    axes.grid(alpha=0.3)
    return True


def _measure(axes: Axes, distance: Distance) -> None:
    """Draw how far it is from one curve to the other."""
    (first, last), y = distance.x, distance.y
    left, _ = axes.get_xlim()
    ends = {"shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (first, y), (last, y), arrowprops={"arrowstyle": "<->", **ends}, zorder=5)
    level = {"arrowstyle": "-", "linestyle": ":", "linewidth": 0.8, **ends}
    axes.annotate("", (left, y), (first, y), arrowprops=level, zorder=3)
    axes.annotate(
        distance.text,
        (left, y),
        xytext=(5, 3 if distance.above else -3),
        textcoords="offset points",
        va="bottom" if distance.above else "top",
        fontsize=8.5,
    )


def learning_curves(
    results: RunResults, seed_set: SeedSet, metric: str, styles: Styles, title: str = "", link: str = ""
) -> list[Chart]:
    """The same for the page, whose reader can switch curves off: for desks and for phones.

    With a title, which may be a link, it is one of many settings, and small.
    """
    found = curves(results, seed_set, metric)
    legend = dict(zip((*styles, FULL_DATA), keys(styles, FULL_DATA), strict=True))
    text = (
        f"Learning curves{f' of {title}' if title else ''}: {metric} against labels, of {', '.join(seed_set.rows)}"
    )
    limits = view(found, results, seed_set, metric)
    return [
        chart(
            found,
            legend,
            title=title,
            text=text,
            x_label=labels_axis(results),
            y_label=metric_axis(results, metric),
            kind=kind,
            view=limits,
            link=link,
            distance=None if title else saved(results, seed_set, metric, styles),
        )
        for kind in (("small",) if title else ("wide", "narrow"))
    ]


def reference_name(results: RunResults, n: int) -> str:
    """What the line of models trained with all labels is called."""
    return f"all {results.run.counted([results.run.pool])[0]:,} labels (n = {n})"


def labels_axis(results: RunResults) -> str:
    """What is below a curve."""
    counting = " + validation" if results.run.count_valid and results.run.valid else ""
    return f"labeled samples{counting}"


def metric_axis(results: RunResults, metric: str) -> str:
    """What is at its side."""
    return f"test {metric} ({results.run.better(metric)} is better)"


def draw(results: RunResults, path: Path) -> bool:
    """Write the curves of the ranking metric as a PNG; False if nothing is finished."""
    # The object-oriented interface: pyplot would open a window system and keep global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    run, seed_sets = results.run, results.basis.seed_sets
    figure = Figure(figsize=taller(SIZE, run.labels), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    if not seed_sets or not plot(axes, results, seed_sets[0], run.metric, styles(run.labels, run.controls)):
        return False
    legend(figure)
    axes.set_title(about(results, seed_sets[0]), fontsize=10)
    content = BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    write(path, content.getvalue())
    return True


def about(results: RunResults, seed_set: SeedSet, *, whole: bool = True) -> str:
    """The title of curves by themselves; `whole` if they are to show all samplers."""
    around = "no interval, since there is one seed"
    if results.run.stopping:
        around = "no interval, since seeds stop when they are decided"
    elif len(seed_set.seeds) >= ENOUGH:
        around = "its 95 % confidence interval, cut at the edges"
    elif len(seed_set.seeds) > 1:
        around = "each seed as a thin line"
    notes = [
        results.run.name,
        f"mean over the same seeds and {around}",
        "synthetic data; not comparable with the paper" if results.run.synthetic else "",
        not_drawn(results.basis) if whole else "",
    ]
    return "\n".join(filter(None, notes))


def not_drawn(cells: Basis) -> str:
    """Which samplers the curves of the first seed set leave out, and why; empty if they show all."""
    first = cells.seed_sets[0]
    absent = [label for label in cells.labels if label not in first.labels]
    return f"not shown, for lack of {seed_list(first.seeds)}: {', '.join(absent)}" if absent else ""
