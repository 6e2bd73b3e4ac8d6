"""The picture of the learning curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.metrics import LOWER_IS_BETTER

from .palette import REFERENCE, styles
from .statistics import mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

    from alharness.records import Run, RunRecord

    from .palette import Style


def draw(run: Run, record: RunRecord, path: Path) -> bool:
    """Write the curves of the ranking metric as a PNG; False where nothing is finished."""
    # The object-oriented interface: pyplot would open a window system and keep global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    if not plot(axes, run, record, run.metric):
        return False
    title = f"{run.name}: mean over seeds and its 95 % confidence interval"
    axes.set_title(
        f"{title}\nsynthetic data; not comparable with the paper" if run.synthetic else title, fontsize=10
    )
    figure.savefig(path, dpi=130)
    return True


def plot(axes: Axes, run: Run, record: RunRecord, metric: str, drawn: Mapping[str, Style] | None = None) -> bool:
    """Mean of a metric over finished seeds with its 95 % interval, against labels; False where there is nothing.

    Args:
        axes: where to draw.
        run: what was asked for.
        record: its cells.
        metric: which metric.
        drawn: label of a sampler -> its style; None for the styles of this run.
    """
    for label, style in (drawn or styles(run.labels)).items():
        cells = [c.cycles for c in record.cells if c.cell.label == label and c.status == "ok"]
        if not cells:
            continue
        x = [cycle.labeled for cycle in cells[0]]
        points = [mean([cycle.metrics[metric] for cycle in cycles]) for cycles in zip(*cells, strict=True)]
        y, half = [p.value for p in points], [0.0 if p.n < 2 else p.half for p in points]
        color, marker, line = style
        axes.plot(x, y, line, color=color, marker=marker, markersize=4, label=f"{label} (n = {len(cells)})")
        low, high = [a - b for a, b in zip(y, half, strict=True)], [a + b for a, b in zip(y, half, strict=True)]
        axes.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)
    if not axes.lines:
        return False
    _draw_references(axes, run, record, metric)
    better = "lower" if metric in LOWER_IS_BETTER else "higher"
    axes.set(xlabel="labeled samples", ylabel=f"test {metric} ({better} is better)")
    axes.grid(alpha=0.3)
    # Outside: of many samplers it would cover the curves.
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.legend(loc="outside lower center", ncols=3, fontsize=8.5, frameon=False)
    return True


def _draw_references(axes: Axes, run: Run, record: RunRecord, metric: str) -> None:
    """A dashed line with its interval where the models with all labels are."""
    complete = [c for c in record.cells if c.cell.reference and c.status == "ok"]
    if not complete:
        return
    level = mean([c.cycles[-1].metrics[metric] for c in complete])
    label = f"all {run.pool:,} labels (n = {len(complete)})"
    axes.axhline(level.value, color=REFERENCE.color, linestyle="--", linewidth=1, label=label)
    if level.n > 1:
        low, high = level.value - level.half, level.value + level.half
        axes.axhspan(low, high, color=REFERENCE.color, alpha=0.1, linewidth=0)
