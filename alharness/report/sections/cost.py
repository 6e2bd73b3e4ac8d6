"""Time and memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from alharness.report.cells import Column, Table, bold, number, parts
from alharness.report.document import Picture, Section
from alharness.report.pictures import count_labels, legend, line, taller
from alharness.report.tables import seeds_column
from alharness.results.statistics import ENOUGH, mean
from alharness.results.summary import PARTS, PEAKS
from alharness.text.numbers import significant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from alharness.report.pictures import Styles
    from alharness.results.run import RunResults
    from alharness.results.summary import SummaryRow

    Array = NDArray[np.float64]

TIMES = dict(zip(PARTS, ("query s", "inference", "gradients", "selection"), strict=True))
NAMES = {
    "cpu_peak_mib": "CPU peak MiB",
    "cpu_peak_increase_mib": "of it in the query",
    "gpu_peak_alloc_mib": "GPU peak MiB",
}
BY_LABELS = {
    "query_seconds": ("Seconds of a query by labels", "seconds, mean over seeds"),
    "cpu_peak_mib": ("Memory during a query by labels: all of the process", "CPU peak MiB, mean over seeds"),
    "gpu_peak_alloc_mib": ("Memory during a query by labels: the GPU", "GPU peak MiB, mean over seeds"),
    "cpu_peak_increase_mib": (
        "Memory during a query by labels: what the query adds",
        "increase of CPU peak, MiB, mean over seeds",
    ),
}
STACKED = (
    "Models were trained together, in stacks. A training has its share of the time of its stack, by its epochs. "
    "That is less than it takes by itself, and depends on the size of the stack: with other samplers, seeds or "
    "another `--stack` it takes another time."
)
FEW = 8
"""Up to so many samplers have their names next to their points; with more, names are below the picture."""
WIDE = 20
"""Ratio of the longest to the shortest query from which on their axis is logarithmic."""


def section(results: RunResults, styles: Styles) -> Section:
    """Queries by part, training, peaks; and quality against time if times may be compared."""
    rows = [row for row in results.summary if row.over and not row.reference]
    first = results.basis.seed_sets[0]
    reason, where = results.incomparable_times(), results.machine
    stacked = any(row.stacks[1] > 1 for row in rows)
    pictures = [] if reason else _against_time(results, rows, styles)
    for name in BY_LABELS:
        costs = {label: results.costs(label, first.seeds, name) for label in first.labels}
        if (name in PEAKS or not reason) and not all(np.isnan(cost).all() for cost in costs.values()):
            pictures.append(_by_labels(results.labeled, name, costs, styles))
    return Section(
        anchor="cost",
        title="Cost",
        paragraphs=[
            reason,
            STACKED if stacked else "",
            results.incomparable_trainings(),
            f"Measured on: {where}, device {results.run.params.get('device', 'unknown')}." if where else "",
        ],
        pictures=pictures,
        tables=[_table(results, rows)],
    )


def _table(results: RunResults, rows: Sequence[SummaryRow]) -> Table:
    peaks = [name for name in PEAKS if any(name in row.peaks for row in rows)]
    overall = [row.costs["overall_seconds"] for row in rows]
    stacks = Column("stacked", [row.stacked for row in rows], name="train_stacked")
    stacked = any(row.stacks[1] > 1 for row in rows)
    return Table(
        name="cost",
        title="Seconds and MiB, means over cycles and seeds; peaks are the largest",
        columns=[
            Column("sampler", [bold(row.label) for row in rows]),
            *(
                Column(TIMES[part], [number(row.costs[part].value, significant) for row in rows], name=part)
                for part in PARTS
            ),
            Column("training s", [number(row.training.value, significant) for row in rows], name="train_seconds"),
            *([stacks] if stacked else []),
            Column("whole cell s", [number(cost.value, significant) for cost in overall], name="overall_seconds"),
            *(
                Column(NAMES[name], [number(row.peaks.get(name, math.nan), 0) for row in rows], name=name)
                for name in peaks
            ),
            *seeds_column(results, [row.over for row in rows]),
        ],
        apart=parts(row.over for row in rows),
        note="A query runs from the call of the sampler to its checked choice: the model over the pool "
        "(inference), gradients, and the selection itself. Training: one model from scratch"
        f"{', its share of a stack. Stacked: how many were trained together' if stacked else ''}. "
        "Whole cell: all its trainings and queries. A dash: not measured.",
    )


def _against_time(results: RunResults, rows: Sequence[SummaryRow], styles: Styles) -> list[Picture]:
    """Quality against the time of a query, of samplers over the same seeds; nothing if no time is known."""
    times = {row.label: row.costs["query_seconds"].value for row in rows if row.seed_set == rows[0].seed_set}
    times = {label: time for label, time in times.items() if math.isfinite(time)}
    few = len(times) <= FEW

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for label, x in times.items():
            text, color, marker, _ = styles[label]
            y = results.areas[label]
            half = y.half if y.n >= ENOUGH else 0.0
            axes.errorbar(x, y.value, yerr=half, color=color, marker=marker, markersize=8, capsize=3, label=text)
            if few:
                axes.annotate(text, (x, y.value), xytext=(7, 5), textcoords="offset points", fontsize=9)
        axes.set_xscale("log")
        axes.margins(x=0.15)
        axes.set(xlabel="seconds of a query", ylabel=f"area of {results.metric} ({results.better})")
        axes.ticklabel_format(axis="y", useOffset=False)
        axes.grid(alpha=0.3)
        if not few:
            legend(figure)

    picture = Picture(
        name="cost",
        title="Quality against time of a query",
        text="Area under the curve of each sampler against the seconds of its query, on a logarithmic axis",
        draw=draw,
        size=Picture.size if few else taller(Picture.size, times),
    )
    return [picture] if times else []


def _by_labels(labeled: Sequence[int], name: str, costs: Mapping[str, Array], styles: Styles) -> Picture:
    """What a query costs as labels grow: label -> (seeds, cycles)."""
    title, axis = BY_LABELS[name]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        drawn = list[float]()
        for label, cost in costs.items():
            y = np.array([mean(of_cycle).value for of_cycle in cost.T])
            known = ~np.isnan(y)
            line(axes, styles[label], np.array(labeled)[known], y[known])
            drawn += y[y > 0].tolist()
        if name not in PEAKS and drawn and max(drawn) > WIDE * min(drawn):
            axes.set_yscale("log")
        else:
            axes.ticklabel_format(axis="y", useOffset=False)
        count_labels(axes)
        axes.set(xlabel="labeled samples before the query", ylabel=axis)
        axes.grid(alpha=0.3)
        legend(figure)

    return Picture(
        name=f"{name}_by_labels",
        title=title,
        text=f"{title}: one line for each of {', '.join(costs)}",
        draw=draw,
        size=taller((6.0, 3.8), costs),
        folded=name == "cpu_peak_increase_mib",
    )
