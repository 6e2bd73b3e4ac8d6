"""Time and memory."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from alharness.report.basis import listed, parts
from alharness.report.cost import PARTS, PEAKS, cells_of, cost, incomparable, machine
from alharness.report.document import Column, Picture, Section, Table, Value, number
from alharness.report.lettering import legend, names, taller
from alharness.report.significance import ENOUGH
from alharness.report.statistics import mean
from alharness.text.numerals import fixed, significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from alharness.report.basis import Group
    from alharness.report.cost import Cost
    from alharness.report.study import Study

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
"""Samplers whose names stand next to their points; of more, below the picture."""
WIDE = 20
"""Ratio of the longest to the shortest query from which on their axis is logarithmic."""


def section(study: Study) -> Section | None:
    """Queries by part, training, peaks; and quality against time where times may be compared."""
    if not study.labels:
        return None
    groups = [group for group in study.basis.groups if group.labels]
    found = [(label, group, cost(study, label, group)) for group in groups for label in group.labels]
    reason = incomparable(study)
    where = machine(cells_of(study))
    paragraphs = [reason] if reason else []
    if where:
        paragraphs.append(f"Measured on: {where}, device {study.results.run.params.get('device', 'unknown')}.")
    queried = {
        label: c
        for label, group, c in found
        if group is groups[0] and math.isfinite(c.query["query_seconds"].value)
    }
    return Section(
        anchor="cost",
        title="Cost",
        paragraphs=paragraphs,
        pictures=[
            *([] if reason or not queried else [_picture(study, queried)]),
            *_by_labels(study, groups[0], timed=not reason),
        ],
        tables=[_table(found, several=len(groups) > 1)],
    )


def _table(found: Sequence[tuple[str, Group, Cost]], *, several: bool) -> Table:
    peaks = [name for name in PEAKS if any(name in c.peaks for _, _, c in found)]
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
                Value(text=label, strong=True),
                *(number(c.query[part].value, significant) for part in PARTS),
                number(c.train.value, significant),
                number(c.overall.value, significant),
                *(number(c.peaks[name], _mib) if name in c.peaks else "–" for name in peaks),
                *([listed(group.seeds)] if several else []),
            ]
            for label, group, c in found
        ],
        apart=parts(group.seeds for _, group, _ in found),
        note="A query runs from the call of the sampler to its checked choice: the model over the pool "
        "(inference), "
        "gradients, and the selection itself. Training: one model from scratch. Whole cell: all its trainings and "
        "queries. A dash: not measured.",
    )


def _mib(value: float) -> str:
    return fixed(value, 0)


def _picture(study: Study, found: dict[str, Cost]) -> Picture:
    return Picture(
        name="cost",
        title="Quality against time of a query",
        text="Area under the curve of each sampler against the seconds of its query, on a logarithmic axis",
        draw=partial(_draw, study=study, found=found),
        size=taller(Picture.size, found) if len(found) > FEW else Picture.size,
    )


def _by_labels(study: Study, group: Group, *, timed: bool) -> list[Picture]:
    """Pictures of what a query costs as labels grow, as far as it was measured."""
    cells = [cell for label in group.labels for cell in study.basis.of(group, label)]
    measured = {name for cell in cells for cycle in cell.cycles for name in cycle.cost}
    return [
        Picture(
            name=f"{name}_by_labels",
            title=title,
            text=f"{title}: one line for each of {', '.join(group.labels)}",
            draw=partial(_draw_by_labels, study=study, group=group, name=name, axis=axis),
            size=taller((6.0, 3.8), group.labels),
            folded=name == "cpu_peak_increase_mib",
        )
        for name, (title, axis) in BY_LABELS.items()
        if name in measured and (timed or name in PEAKS)
    ]


def _draw_by_labels(figure: Figure, study: Study, group: Group, name: str, axis: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_subplot()
    drawn, shown = [], names(group.labels)
    for label in group.labels:
        color, marker, line = study.styles[label]
        by_labels: dict[int, list[float]] = {}
        for cell in study.basis.of(group, label):
            for cycle in cell.cycles:
                if name in cycle.cost:
                    by_labels.setdefault(cycle.labeled, []).append(cycle.cost[name])
        x, y = study.results.run.counted(sorted(by_labels)), [mean(by_labels[n]).value for n in sorted(by_labels)]
        axes.plot(x, y, line, color=color, marker=marker, markersize=4, label=shown[label])
        drawn += [value for value in y if value > 0]
    if name not in PEAKS and drawn and max(drawn) > WIDE * min(drawn):
        axes.set_yscale("log")
    else:
        axes.ticklabel_format(axis="y", useOffset=False)
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    axes.set(xlabel="labeled samples before the query", ylabel=axis)
    axes.grid(alpha=0.3)
    legend(figure)


def _draw(figure: Figure, study: Study, found: dict[str, Cost]) -> None:
    axes = figure.add_subplot()
    shown = names(found)
    for label, c in found.items():
        color, marker, _ = study.styles[label]
        area, x = study.areas[label], c.query["query_seconds"].value
        half = area.half if area.n >= ENOUGH else 0.0
        axes.errorbar(
            x, area.value, yerr=half, color=color, marker=marker, markersize=8, capsize=3, label=shown[label]
        )
        if len(found) <= FEW:
            axes.annotate(shown[label], (x, area.value), xytext=(7, 5), textcoords="offset points", fontsize=9)
    axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.set_xlabel("seconds of a query")
    axes.set_ylabel(f"area of {study.scores.metric} ({study.scores.better})")
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(alpha=0.3)
    if len(found) > FEW:
        legend(figure)
