"""Drives one cell: answers its requests for fits, and writes its records to the journal."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from alharness.engine.loop import Fit, World, run_cell
from alharness.errors import RunError

from .environment import machine

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from alharness.api.records import CycleRecord, Timing
    from alharness.engine.pool import Pool
    from alharness.engine.selection import Chooser
    from alharness.engine.training import Fitted, Trainer

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
    timing: Timing,
    crowded: Callable[[], bool] = lambda: False,
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
        timing: how queries are measured.
        crowded: whether another process is at work now, which makes every timing a shared one.
    """
    cell = run_cell(world, chooser, journal.replay(initial), first_cycle=len(journal.cycles))
    before = crowded()
    for found in _answered(cell, trainer, fits):
        after = crowded()
        how: Timing = "shared" if before or after else timing
        before = after
        record = replace(found, at=_later(journal), timing=how, machine=machine(trainer.device))
        journal.append(record)
        finished(record)


def retime(
    world: World,
    chooser: Chooser,
    initial: Pool,
    journal: Journal,
    *,
    trainer: Trainer,
    fits: FitStore,
    finished: Callable[[CycleRecord], None],
) -> None:
    """Measure the queries of a finished cell again: nothing is replaced but their times.

    Models are trained again, except the last one, which is asked for nothing. The journal is written when all
    queries are measured, or not at all. For the arguments see `drive`.

    Raises:
        RunError: a query chose other samples than it did at first, so its time is that of another one.
    """
    old = journal.cycles
    new = list(old)
    found = _answered(run_cell(world, chooser, initial), trainer, fits)
    for number in range(len(world.schedule.sizes)):
        again = next(found)
        if again.chosen != old[number].chosen:
            raise RunError(
                f"cycle {number} chose other samples than it did when the run was made, so that its queries "
                "cannot be measured again on this machine; the journal is as it was"
            )
        times = {name: value for name, value in again.cost.items() if name.startswith("query_")}
        cost = {**old[number].cost, **times}
        new[number] = replace(old[number], cost=cost, timing="exclusive", machine=machine(trainer.device))
        finished(new[number])
    new[-1] = replace(old[-1], timing="exclusive")
    journal.replace(new)
    finished(new[-1])


def _answered(
    cell: Generator[Fit | CycleRecord, Fitted, None], trainer: Trainer, fits: FitStore
) -> Iterator[CycleRecord]:
    """The records of a cell whose requests for fits are answered."""
    answer: Fitted | None = None
    while True:
        try:
            item = next(cell) if answer is None else cell.send(answer)
        except StopIteration:
            return
        if isinstance(item, Fit):
            answer = fits.fit(trainer, item) if item.cycle == 0 else trainer.fit(item.labeled, item.seed)
        else:
            answer = None
            yield item


def now() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


def _later(journal: Journal) -> int:
    # A clock that was set back must not put a cycle before the one it follows.
    last = journal.cycles[-1].at if journal.cycles else journal.header.started
    return max(now(), last + 1)
