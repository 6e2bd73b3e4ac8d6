"""Time and memory."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from alharness.report.document import Column, Picture, Section, Table, Value, number
from alharness.report.lettering import legend, names, taller
from alharness.report.table import parts
from alharness.results.basis import listed
from alharness.results.statistics import ENOUGH, mean
from alharness.results.summary import PARTS, PEAKS
from alharness.text.numbers import fixed, significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from alharness.report.palette import Styles
    from alharness.results.basis import SeedSet
    from alharness.results.run import RunResults
    from alharness.results.summary import SummaryRow

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
FEW = 8
"""Up to so many samplers have their names next to their points; with more, names are below the picture."""
WIDE = 20
"""Ratio of the longest to the shortest query from which on their axis is logarithmic."""


def section(results: RunResults, styles: Styles) -> Section | None:
    """Queries by part, training, peaks; and quality against time if times may be compared."""
    if not results.labels:
        return None
    seed_sets = [seed_set for seed_set in results.basis.seed_sets if seed_set.labels]
    found = [results.row(label, seed_set) for seed_set in seed_sets for label in seed_set.labels]
    reason, where = results.incomparable_times(), results.machine
    paragraphs = [reason] if reason else []
    if where:
        paragraphs.append(f"Measured on: {where}, device {results.run.params.get('device', 'unknown')}.")
    queried = {
        row.label: row
        for row in found
        if row.seed_set == found[0].seed_set and math.isfinite(row.query["query_seconds"].value)
    }
    return Section(
        anchor="cost",
        title="Cost",
        paragraphs=paragraphs,
        pictures=[
            *([] if reason or not queried else [_picture(results, queried, styles)]),
            *_by_labels(results, seed_sets[0], styles, timed=not reason),
        ],
        tables=[_table(found, several=len(seed_sets) > 1)],
    )


def _table(found: Sequence[SummaryRow], *, several: bool) -> Table:
    peaks = [name for name in PEAKS if any(name in row.peaks for row in found)]
    return Table(
        name="cost",
        title="Seconds and MiB, means over cycles and seeds; peaks are the largest",
        headings=(
            "sampler",
            *(Column(text=TIMES[part], name=part) for part in PARTS),
            Column(text="training s", name="train_seconds"),
            Column(text="whole cell s", name="overall_seconds"),
            *(Column(text=NAMES[name], name=name) for name in peaks),
            *(["seeds"] if several else []),
        ),
        rows=[
            [
                Value(text=row.label, strong=True),
                *(number(row.query[part].value, significant) for part in PARTS),
                number(row.training.value, significant),
                number(row.overall.value, significant),
                *(number(row.peaks[name], _mib) if name in row.peaks else "–" for name in peaks),
                *([listed(row.over)] if several else []),
            ]
            for row in found
        ],
        apart=parts(row.over for row in found),
        note="A query runs from the call of the sampler to its checked choice: the model over the pool "
        "(inference), "
        "gradients, and the selection itself. Training: one model from scratch. Whole cell: all its trainings and "
        "queries. A dash: not measured.",
    )


def _mib(value: float) -> str:
    return fixed(value, 0)


def _picture(results: RunResults, found: dict[str, SummaryRow], styles: Styles) -> Picture:
    return Picture(
        name="cost",
        title="Quality against time of a query",
        text="Area under the curve of each sampler against the seconds of its query, on a logarithmic axis",
        draw=partial(_draw, results=results, found=found, styles=styles),
        size=taller(Picture.size, found) if len(found) > FEW else Picture.size,
    )


def _by_labels(results: RunResults, seed_set: SeedSet, styles: Styles, *, timed: bool) -> list[Picture]:
    """Pictures of what a query costs as labels grow, as far as it was measured."""
    measured = {
        name
        for label in seed_set.labels
        for cell in results.basis.of(seed_set, label)
        for cycle in cell.cycles
        for name in cycle.cost
    }
    return [
        Picture(
            name=f"{name}_by_labels",
            title=title,
            text=f"{title}: one line for each of {', '.join(seed_set.labels)}",
            draw=partial(_draw_by_labels, results=results, seed_set=seed_set, name=name, axis=axis, styles=styles),
            size=taller((6.0, 3.8), seed_set.labels),
            folded=name == "cpu_peak_increase_mib",
        )
        for name, (title, axis) in BY_LABELS.items()
        if name in measured and (timed or name in PEAKS)
    ]


def _draw_by_labels(
    figure: Figure, results: RunResults, seed_set: SeedSet, name: str, axis: str, styles: Styles
) -> None:
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_subplot()
    drawn, shown = [], names(seed_set.labels)
    for label in seed_set.labels:
        color, marker, line = styles[label]
        y = np.array([mean(of_cycle).value for of_cycle in results.costs(label, seed_set.seeds, name).T])
        known = ~np.isnan(y)
        x = np.array(results.labeled)[known]
        axes.plot(x, y[known], line, color=color, marker=marker, markersize=4, label=shown[label])
        drawn += y[y > 0].tolist()
    if name not in PEAKS and drawn and max(drawn) > WIDE * min(drawn):
        axes.set_yscale("log")
    else:
        axes.ticklabel_format(axis="y", useOffset=False)
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    axes.set(xlabel="labeled samples before the query", ylabel=axis)
    axes.grid(alpha=0.3)
    legend(figure)


def _draw(figure: Figure, results: RunResults, found: dict[str, SummaryRow], styles: Styles) -> None:
    axes = figure.add_subplot()
    shown = names(found)
    for label, row in found.items():
        color, marker, _ = styles[label]
        area, x = results.areas[label], row.query["query_seconds"].value
        half = area.half if area.n >= ENOUGH else 0.0
        axes.errorbar(
            x, area.value, yerr=half, color=color, marker=marker, markersize=8, capsize=3, label=shown[label]
        )
        if len(found) <= FEW:
            axes.annotate(shown[label], (x, area.value), xytext=(7, 5), textcoords="offset points", fontsize=9)
    axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.set_xlabel("seconds of a query")
    axes.set_ylabel(f"area of {results.metric} ({results.better})")
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(alpha=0.3)
    if len(found) > FEW:
        legend(figure)
