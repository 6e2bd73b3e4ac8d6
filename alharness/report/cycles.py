"""Every number of a run, one a row, for programs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .document import Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .study import Study

HEADINGS = ("sampler", "seed", "status", "compared", "cycle", "labels", "kind", "metric", "value")


def sheet(study: Study, name: str = "cycles") -> Sheet:
    """Sampler x seed x cycle x metric or cost, of all cells of a run, complete or not.

    Args:
        study: the run.
        name: of the file.
    """
    return Sheet(
        name=name,
        headings=HEADINGS,
        rows=lambda: _rows(study),
        about="Every metric and cost of every cycle (CSV)",
    )


def _rows(study: Study) -> Iterator[tuple[Any, ...]]:
    run = study.results.run
    for record in study.results.record.cells:
        cell = record.cell
        compared = str(cell.seed in study.basis.cells.get(cell.label, {})).lower()
        for cycle in record.cycles:
            (labels,) = run.counted([cycle.labeled])
            for kind, values in (("quality", cycle.metrics), ("cost", cycle.cost), ("choice", cycle.diagnostics)):
                for name, value in values.items():
                    known = None if isinstance(value, float) and math.isnan(value) else value
                    yield (cell.label, cell.seed, record.status, compared, cycle.cycle, labels, kind, name, known)
