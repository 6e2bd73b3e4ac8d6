"""A project of real labeling: what came with each batch, and what the model made of it."""

from __future__ import annotations

import csv
import math
from collections import Counter
from typing import TYPE_CHECKING

from alharness.report.cells import Column, Table, bold, number
from alharness.report.document import Section
from alharness.report.sections.run import sheet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from alharness.results.run import RunResults

LABELS = "labels.csv"
"""The labels of a project, in its folder, with the columns `label`, `batch` and `by`."""
MOST = 20
"""Distinct labels that are counted; more are numbers, or too many for a table."""


def section(results: RunResults) -> Section:
    """A row for each batch that has been labeled."""
    (record,) = results.complete
    came = _came(results.run.folder)
    rows = [[pair for batch, *pair in came if batch == cycle.cycle - 1] for cycle in record.cycles]
    chosen_by = [Counter(by for _, by in row) for row in rows]
    labels = [Counter(label for label, _ in row) for row in rows]
    names = sorted(set().union(*labels))
    metrics = results.metrics()
    table = Table(
        name="batches",
        title="Batches",
        columns=[
            Column("batch", [bold(str(place)) for place in range(1, len(rows) + 1)]),
            Column("labels so far", list(map(str, results.labeled))),
            Column("chosen by", [", ".join(f"{of:,} {by}" for by, of in row.items()) for row in chosen_by]),
            *(
                Column(name, [f"{row[name]:,}" for row in labels], name=f"label_{place}_{name}")
                for place, name in enumerate(names if len(names) <= MOST else [], 1)
            ),
            *(Column(m, [number(cycle.metrics.get(m, math.nan)) for cycle in record.cycles]) for m in metrics),
        ],
        note="How many labels of each kind came, and the model that was trained when they were there.",
    )
    return Section(anchor="batches", title="What was labeled", tables=[table], sheets=[sheet(results)])


def _came(folder: Path) -> Sequence[tuple[int, str, str]]:
    """Batch, label, and what had chosen the sample; nothing if the table is not there, or is no such table."""
    try:
        with (folder / LABELS).open(encoding="utf-8", newline="") as file:
            return [(int(row["batch"]), row["label"], row["by"]) for row in csv.DictReader(file)]
    except (OSError, KeyError, ValueError):
        return []
