"""Learning curves: in the report, at the end of a run, and in notebooks."""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from alharness.api.records import FULL_DATA
from alharness.results.basis import seed_list
from alharness.results.statistics import ENOUGH, alike
from alharness.runs.files import write

from .pictures import DPI, REFERENCE, count_labels, legend, line, styles, taller

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from alharness.results.basis import Basis, SeedSet
    from alharness.results.run import RunResults

    from .pictures import Styles

SIZE = (7.0, 4.5)
"""Inches of the curves of a run by themselves."""


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
    run, x, n, seen = results.run, results.labeled, len(seed_set.seeds), list[float]()
    curves = {label: results.curves(label, seed_set.seeds, metric) for label in seed_set.rows}
    points = [alike({label: found[:, cycle] for label, found in curves.items()}) for cycle in range(len(x))]
    for label, style in styles.items():
        if label not in seed_set.labels:
            continue
        found = [point[label] for point in points]
        y = [p.value for p in found]
        line(axes, style, x, y, f"{style.name} (n = {n})")
        if n >= ENOUGH:
            half = [p.half if p.n >= ENOUGH else 0.0 for p in found]
            low, high = np.subtract(y, half), np.add(y, half)
            axes.fill_between(x, low, high, color=style.color, alpha=0.15, linewidth=0)
        elif n > 1:
            for seed in curves[label]:
                axes.plot(x, seed, style.line, color=style.color, alpha=0.5, linewidth=0.6, label="_seed")
        seen += curves[label].ravel().tolist()
    if not axes.lines:
        return False
    if seed_set.reference:
        level = points[-1][FULL_DATA]
        label = f"all {run.counted([run.pool])[0]:,} labels (n = {n})"
        axes.axhline(level.value, color=REFERENCE.color, linestyle="--", linewidth=1, label=label)
        if level.n >= ENOUGH:
            axes.axhspan(level.low, level.high, color=REFERENCE.color, alpha=0.1, linewidth=0)
        seen.append(level.value)
    _limit(axes, seen)
    count_labels(axes)
    axes.ticklabel_format(axis="y", useOffset=False)
    counting = " + validation" if run.count_valid and run.valid else ""
    axes.set(xlabel=f"labeled samples{counting}", ylabel=f"test {metric} ({run.better(metric)} is better)")
    axes.grid(alpha=0.3)
    return True


def draw(results: RunResults, path: Path) -> bool:
    """Write the curves of the ranking metric as a PNG; False if nothing is finished."""
    # The object-oriented interface: pyplot would open a window system and keep global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    run, seed_sets = results.run, results.basis.seed_sets
    figure = Figure(figsize=taller(SIZE, run.labels), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    if not seed_sets or not plot(axes, results, seed_sets[0], run.metric, styles(run.labels)):
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
    if len(seed_set.seeds) >= ENOUGH:
        around = "its 95 % confidence interval, cut at the edges of the picture"
    elif len(seed_set.seeds) > 1:
        around = "each seed as a thin line"
    notes = [
        f"{results.run.name}: mean over the same seeds and {around}",
        "synthetic data; not comparable with the paper" if results.run.synthetic else "",
        not_drawn(results.basis) if whole else "",
    ]
    return "\n".join(filter(None, notes))


def not_drawn(cells: Basis) -> str:
    """Which samplers the curves of the first seed set leave out, and why; empty if they show all."""
    first = cells.seed_sets[0]
    absent = [label for label in cells.labels if label not in first.labels]
    return f"not shown, for lack of {seed_list(first.seeds)}: {', '.join(absent)}" if absent else ""


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
