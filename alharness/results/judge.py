"""Which cells of a run are needed next, if its seeds stop when they are decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.api.records import FULL_DATA, Look

from .looks import first_random, sentences
from .run import RunResults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.api.records import Outcome, Plan


def judge(plan: Plan, records: Sequence[Outcome]) -> Look:
    """What these cells have decided, and which are needed next; see `alharness.results.sequential.replay`."""
    results = RunResults(run=plan, records=tuple(records))
    found = results.looks
    needed = {label: set(seeds) for label, seeds in found.needed.items()}
    at_work = {label for pair in found.open for label in pair} if not found.over else set()
    needed[FULL_DATA] = needed.get(first_random(plan), set())
    if at_work:
        at_work.add(FULL_DATA)
    need = frozenset(cell for cell in plan.cells if cell.seed in needed.get(cell.label, ()))
    return Look(
        seeds=found.looked,
        lines=tuple(sentences(results, found)),
        needed=need,
        possible=need | {cell for cell in plan.cells if cell.label in at_work},
        over=found.over,
    )
