"""A run directory read back: what was asked for, what its journals hold, and what is known of its pool."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alharness.api.records import Outcomes
from alharness.runs import description, pooltable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from alharness.api.records import Cell, Outcome, Plan
    from alharness.runs.pooltable import PoolTable

FOUNDATION = ("data", "split", "initial_pool")
"""Fields of a journal's header without which two cells have nothing in common."""
CONDITIONS = ("device", "versions")
"""Fields that may change the last bits of every number."""
PAIRED = (*FOUNDATION, *CONDITIONS)
"""Fields of a journal's header in which two cells must agree before a difference between them means anything."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """A run as it stands on disk.

    Attributes:
        run: what was asked for.
        record: its cells.
        contexts: cell -> what its numbers depend on, as its journal's header says; absent without a journal.
        pool: labels and a map of the pool; None where the run has not left any.
        others: folders of cells that the spec named once and names no more.
    """

    run: Plan
    record: Outcomes
    contexts: Mapping[Cell, Mapping[str, Any]]
    pool: PoolTable | None
    others: tuple[str, ...] = ()

    @property
    def complete(self) -> tuple[Outcome, ...]:
        """The cells with every cycle, references among them."""
        return tuple(record for record in self.record.cells if record.status == "ok")

    def finished(self, label: str) -> dict[int, Outcome]:
        """Seed -> complete cell of this sampler."""
        return {record.cell.seed: record for record in self.complete if record.cell.label == label}


def read(folder: Path, *, with_pool: bool = True) -> Results:
    """Read a run directory, and nothing else: neither its spec, nor its data, nor its plugins are needed.

    Args:
        folder: the run directory.
        with_pool: read what is known of the pool, too.

    Raises:
        RunError: it is no run directory, or cannot be read.
    """
    found = description.load(folder)
    run = found.run
    records: list[Outcome] = []
    contexts: dict[Cell, Mapping[str, Any]] = {}
    for cell in run.cells:
        record, header = description.record_of(cell, folder / "cells" / cell.folder, run.labeled(cell))
        ended = found.ended.get(cell.folder)
        if ended and record.status == "pending":
            record = replace(record, status=ended.status, error=ended.error)
        records.append(record)
        if header:
            contexts[cell] = header.context
    known = {cell.folder for cell in run.cells}
    others = sorted(path.name for path in (folder / "cells").glob("*/") if path.name not in known)
    return Results(
        run=run,
        record=Outcomes(cells=tuple(records)),
        contexts=contexts,
        pool=pooltable.load(folder) if with_pool else None,
        others=tuple(others),
    )
