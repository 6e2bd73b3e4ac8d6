"""The picture of the learning curves."""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from alharness.api.records import FULL_DATA
from alharness.results.basis import seed_list
from alharness.results.statistics import ENOUGH, alike
from alharness.runs.files import write

from .lettering import legend, names, taller
from .palette import REFERENCE, styles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from alharness.api.records import Plan
    from alharness.results.basis import Basis, SeedSet
    from alharness.results.run import RunResults
    from alharness.results.statistics import Mean

    from .palette import Styles


def draw(results: RunResults, path: Path) -> bool:
    """Write the curves of the ranking metric as a PNG; False if nothing is finished."""
    # The object-oriented interface: pyplot would open a window system and keep global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    run, cells = results.run, results.basis
    figure = Figure(figsize=taller((7, 4.5), run.labels), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    if not cells.seed_sets or not plot(axes, results, cells.seed_sets[0], run.metric, styles(run.labels)):
        return False
    legend(figure)
    title = f"{run.name}: mean over the same seeds and {spread(cells.seed_sets[0])}"
    notes = ["synthetic data; not comparable with the paper"] if run.synthetic else []
    if absent := not_drawn(cells):
        notes.append(absent)
    axes.set_title("\n".join([title, *notes]), fontsize=10)
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=130)
    write(path, picture.getvalue())
    return True


def not_drawn(cells: Basis) -> str:
    """Which samplers the curves of the first seed set leave out, and why; empty if they show all."""
    first = cells.seed_sets[0]
    absent = [label for label in cells.labels if label not in first.labels]
    return f"not shown, for lack of {seed_list(first.seeds)}: {', '.join(absent)}" if absent else ""


def plot(axes: Axes, results: RunResults, seed_set: SeedSet, metric: str, styles: Styles) -> bool:
    """Mean of a metric over the seeds of a seed set, against labels, without a legend; False without any.

    With it comes its 95 % interval, or each seed if these are too few for a useful interval.

    Args:
        axes: the axes to draw on.
        results: a run.
        seed_set: the samplers to draw.
        metric: which metric.
        styles: label of a sampler -> its style.
    """
    from matplotlib.ticker import MaxNLocator

    run, x, seeds = results.run, results.labeled, seed_set.seeds
    curves = {label: results.curves(label, seeds, metric) for label in seed_set.rows}
    seen: list[float] = []
    shown = names(run.labels)
    points = [alike({label: found[:, cycle] for label, found in curves.items()}) for cycle in range(len(x))]
    enough = len(seeds) >= ENOUGH
    for label, style in styles.items():
        if label not in seed_set.labels:
            continue
        found = [point[label] for point in points]
        y, half = [p.value for p in found], [p.half if p.n >= ENOUGH else 0.0 for p in found]
        color, marker, line = style
        n = len(seeds)
        axes.plot(x, y, line, color=color, marker=marker, markersize=4, label=f"{shown[label]} (n = {n})")
        if enough:
            low, high = np.subtract(y, half), np.add(y, half)
            axes.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)
        elif n > 1:
            for seed in curves[label]:
                axes.plot(x, seed, line, color=color, alpha=0.5, linewidth=0.6, label="_seed")
        seen += curves[label].ravel().tolist()
    if not axes.lines:
        return False
    if seed_set.reference:
        _draw_reference(axes, run, seed_set, points[-1][FULL_DATA])
        seen.append(points[-1][FULL_DATA].value)
    _limit(axes, seen)
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    axes.ticklabel_format(axis="y", useOffset=False)
    counting = " + validation" if run.count_valid and run.valid else ""
    axes.set(xlabel=f"labeled samples{counting}", ylabel=f"test {metric} ({run.better(metric)} is better)")
    axes.grid(alpha=0.3)
    return True


def spread(seed_set: SeedSet) -> str:
    """What is drawn around a mean, in words."""
    if len(seed_set.seeds) >= ENOUGH:
        return "its 95 % confidence interval, cut at the edges of the picture"
    return "each seed as a thin line" if len(seed_set.seeds) > 1 else "no interval, since there is one seed"


def _limit(axes: Axes, seen: Sequence[float]) -> None:
    """Keep the curves of single seeds in view; a wide interval reaches beyond by half of their range at most."""
    known = [value for value in seen if math.isfinite(value)]
    if not known:
        return
    low, high = min(known), max(known)
    room = (high - low) / 2 or abs(high) / 20 or 0.05
    if math.isfinite(high + room) and math.isfinite(low - room):
        bottom, top = axes.get_ylim()
        axes.set_ylim(max(bottom, low - room), min(top, high + room))


def _draw_reference(axes: Axes, run: Plan, seed_set: SeedSet, level: Mean) -> None:
    """A dashed line with its interval, at the level of the models with all labels."""
    label = f"all {run.counted([run.pool])[0]:,} labels (n = {len(seed_set.seeds)})"
    axes.axhline(level.value, color=REFERENCE.color, linestyle="--", linewidth=1, label=label)
    if level.n >= ENOUGH:
        low, high = level.value - level.half, level.value + level.half
        axes.axhspan(low, high, color=REFERENCE.color, alpha=0.1, linewidth=0)
