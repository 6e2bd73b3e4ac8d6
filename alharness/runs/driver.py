"""Drives one cell: answers its requests for fits, and writes its records to the journal."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from alharness.loop import Fit, World, run_cell

if TYPE_CHECKING:
    from collections.abc import Callable

    from alharness.pool import Pool
    from alharness.records import CycleRecord
    from alharness.selection import Chooser
    from alharness.training import Fitted, Trainer

    from .fits import FitStore
    from .journal import Journal


def drive(
    world: World,
    chooser: Chooser | None,
    initial: Pool,
    journal: Journal,
    *,
    trainer: Trainer,
    fits: FitStore,
    finished: Callable[[CycleRecord], None],
) -> None:
    """Continue a cell after the last cycle of its journal, to its end.

    Args:
        world: what all cells of the seed share.
        chooser: the sampler; None where nothing is queried.
        initial: the initial pool.
        journal: the cell's journal; the ids in it were bought and are labeled now.
        trainer: trains what the cell asks for.
        fits: keeps the fits that cells share, those of cycle 0.
        finished: told of every cycle once it is on disk.
    """
    pool = initial
    for record in journal.cycles:
        pool = pool.label_ids(record.chosen)
    cell = run_cell(world, chooser, pool, first_cycle=len(journal.cycles))
    answer: Fitted | None = None
    while True:
        try:
            item = next(cell) if answer is None else cell.send(answer)
        except StopIteration:
            return
        if isinstance(item, Fit):
            answer = fits.fit(trainer, item) if item.cycle == 0 else trainer.fit(item.labeled, item.seed)
            continue
        record = replace(item, at=_later(journal))
        journal.append(record)
        finished(record)
        answer = None


def now() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


def _later(journal: Journal) -> int:
    # A clock that was set back must not put a cycle before the one it follows.
    last = journal.cycles[-1].at if journal.cycles else journal.header.started
    return max(now(), last + 1)
