"""Cells that are missing, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alharness.report.document import Section, Sheet, Table, Value
from alharness.results.run import COLUMNS

if TYPE_CHECKING:
    from alharness.results.run import RunResults

WORDS = {"pending": "not finished", "timeout": "timed out", "oom": "out of memory"}


def section(results: RunResults) -> Section:
    """Every cell that is not complete, every sampler that was skipped."""
    run = results.run
    missing = [record for record in results.records if record.status != "ok"]
    total = len(results.records)
    paragraphs = [
        f"All {total} cells (sampler x seed) are complete."
        if not missing
        else f"{total - len(missing)} of {total} cells are complete. No mean includes a cell that is not. "
        "Running the "
        "spec again continues with the others."
    ]
    paragraphs += [f"Skipped: {skip.label}: {skip.reason}." for skip in run.skips]
    if results.others:
        paragraphs.append(
            f"In the run directory, but no longer in the spec, and not shown: {', '.join(results.others)}."
        )
    table = Table(
        name="missing",
        title="Not complete",
        headings=("cell", "status", "cycles", "what happened"),
        rows=[
            [
                Value(text=record.cell.name, strong=True),
                WORDS.get(record.status, record.status),
                f"{len(record.cycles)} of {len(run.labeled(record.cell))}",
                record.error or "–",
            ]
            for record in missing
        ],
    )
    return Section(
        anchor="cells",
        title="Cells",
        paragraphs=paragraphs,
        tables=[table] if missing else [],
        sheets=[sheet(results)],
    )


def sheet(results: RunResults, name: str = "cycles") -> Sheet:
    """Every number of every cell, complete or not, one a row, for programs; `name` is that of the file."""
    return Sheet(
        name=name,
        headings=COLUMNS,
        rows=lambda: ([_plain(value) for value in row] for row in results.numbers()),
        about="Every metric and cost of every cycle (CSV)",
    )


def _plain(value: Any) -> Any:
    """The value in a CSV file: NaN as an empty cell, and what is true or not as JSON writes it."""
    return str(value).lower() if isinstance(value, bool) else None if value != value else value  # noqa: PLR0124
