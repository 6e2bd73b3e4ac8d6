"""Hands out groups of cells, writes what comes back, and calls observers."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from alharness.api.executor import Finished, FirstFit, Group, Warned
from alharness.api.records import Outcome
from alharness.engine.pool import Impossible
from alharness.errors import HarnessError, RunError

from . import journal, saved
from .conditions import context
from .files import explain, write
from .fits import FitStore
from .journal import Journal
from .processes import postponed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path
    from typing import Literal

    from alharness.api.executor import Finding
    from alharness.api.records import Cell, CycleRecord, Plan

    from .claims import Claims
    from .messages import SeedFacts


class Coordinator:
    """The groups of a run; see `alharness.runs.messages.Groups`.

    A worker gets a group of the seeds that it knows, or of seeds that no other worker is at. A group waits if
    others are training all models of cycle 0 that it needs; if they train only some, it trains these, too.

    Args:
        plan: what is run.
        claims: this process in the run directory, with the cells that it holds.
        more: gives the cells of each group that is next when all others have ended; none if there are no more.
        seeds: what is known of each seed.
        action: run the cells, or measure the queries of finished ones again.
        restart: cells begin again if their journals cannot be continued; the old ones are kept.
        exclusive: nothing else is computed while a query is measured.
        stopping: whether the run is to stop: no group is given out any more, and a cell ends with its cycle.
        emit: calls a hook of all observers.
        warn: called with what the user should know.

    Attributes:
        outcomes: of the cells that have ended.
    """

    def __init__(
        self,
        plan: Plan,
        claims: Claims,
        more: Callable[[], Sequence[tuple[Cell, ...]]],
        *,
        seeds: Mapping[int, SeedFacts],
        action: Literal["run", "retime"],
        restart: bool,
        exclusive: bool,
        stopping: Callable[[], bool] = lambda: False,
        emit: Callable[..., None],
        warn: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._waiting: list[tuple[Cell, ...]] = []
        self._claims, self._directory = claims, claims.directory
        self._seeds = seeds
        self._action, self._restart, self._exclusive = action, restart, exclusive
        self._emit, self._warn, self._more = emit, warn, more
        self._stopping = stopping
        self._between = False  # all groups have ended, and it is not known yet whether there are more
        self._fits = FitStore(claims.directory.fits, warn)
        self._books: dict[Cell, Journal] = {}  # of the cells that are being computed
        self._again: dict[Cell, list[CycleRecord]] = {}  # their cycles, measured again
        self._training: dict[
            tuple[int, bool], set[Cell]
        ] = {}  # models of cycle 0, and the cells for which each is trained
        self._crowded = False
        self.outcomes: dict[Cell, Outcome] = {}

    @property
    def left(self) -> bool:
        """Whether there are groups that were not taken yet; none if the run is to stop."""
        return bool(self._waiting) and not self._stopping()

    @property
    def stopping(self) -> bool:
        """Whether the run is to stop."""
        return self._stopping()

    def take(self, seeds: Collection[int] = ()) -> Group | None:
        """The next group; None if none can begin now. Cells whose journals cannot be continued end here."""
        while True:
            while (cells := self._next(seeds)) is not None:
                if self._stopping():
                    return None
                self._waiting.remove(cells)
                if opened := [cell for cell in cells if self._open(cell, restart=self._restart)]:
                    return self._make(opened)
            if not self.proceed():
                return None

    def receive(self, message: Finding) -> bool:
        """Handle a message; False if no more of its cell is wanted: it has failed, or the run is to stop.

        Raises:
            RunError: another process took over the run directory.
            TrackingError: tracking was required, and is lost.
        """
        match message:
            case Warned():
                self._warn(message.text)
            case FirstFit():
                key = message.seed, message.everything
                self._fits.put(self._seeds[message.seed].fits[message.everything], message.content)
                self._training.pop(key, None)
            case Finished():
                return self._write(message.cell, message.cycle) and not self._stop(message.cell)
            case Outcome():
                self._end(message)
                self.proceed()
        return True

    def proceed(self) -> bool:
        """If all groups have ended, see whether there are more; whether there are."""
        if self._waiting or self._books:
            return False
        self._between = True
        self._waiting += self._more()
        self._between = False
        return self.left

    def put_back(self, cells: Sequence[Cell]) -> None:
        """Make a group of cells whose worker was lost; it is the next one."""
        for cell in cells:
            del self._books[cell]
            self._again.pop(cell, None)
            self._train_no_more(cell)
        self._waiting.insert(0, tuple(cells))

    def end(self) -> bool:
        """End the cells that are still being computed; whether the run was interrupted before all was done."""
        for cell in [*self._books]:
            self._end(Outcome(cell=cell, status="interrupted"))
        ended = {outcome.status for outcome in self.outcomes.values()}
        return bool(self._waiting) or self._between or "interrupted" in ended

    def _next(self, seeds: Collection[int]) -> tuple[Cell, ...] | None:
        needed = {cells: self._needs(cells) for cells in self._waiting}
        ready = [cells for cells, models in needed.items() if not models or models - self._training.keys()]
        busy = {cell.seed for cell in self._books}
        known = (cells for cells in ready if all(cell.seed in seeds for cell in cells))
        unused = (cells for cells in ready if not any(cell.seed in busy for cell in cells))
        return next(known, None) or next(unused, None) or next(iter(ready), None)

    def _needs(self, cells: Sequence[Cell]) -> set[tuple[int, bool]]:
        """The models of cycle 0 that a group needs, as far as its journals are known."""
        return {
            (cell.seed, cell.reference)
            for cell in cells
            if self._action == "retime" or not (cell in self._books and self._books[cell].cycles)
        }

    def _make(self, cells: list[Cell]) -> Group:
        self._crowded = self._claims.crowded()
        fits = {}
        for seed, everything in self._needs(cells):
            if content := self._fits.get(self._seeds[seed].fits[everything]):
                fits[seed, everything] = content
            else:
                need = {cell for cell in cells if (cell.seed, cell.reference) == (seed, everything)}
                self._training.setdefault((seed, everything), set()).update(need)
        return Group(
            cells=tuple(cells),
            chosen={cell.name: tuple(cycle.chosen for cycle in self._books[cell].cycles) for cell in cells},
            fits=fits,
            contexts={cell.seed: self._seeds[cell.seed].context for cell in cells},
            action=self._action,
            initial={cell.seed: ids for cell in cells if (ids := self._seeds[cell.seed].chosen)},
        )

    def _open(self, cell: Cell, *, restart: bool) -> bool:
        """Open the cell's journal; if that cannot be continued, the cell begins again or ends."""
        folder = self._directory.cell(cell)
        try:
            book = self._read(cell, folder)
        except (HarnessError, OSError) as error:
            if restart and self._set_aside(folder):
                return self._open(cell, restart=False)
            text = str(error) if isinstance(error, HarnessError) else explain(error, folder)
            self._end(Outcome(cell=cell, status="failed", error=text))
            return False
        if book.torn:
            self._warn(f"{book.path}: cut a last line that was only half written")
        self._books[cell] = book
        return True

    def _read(self, cell: Cell, folder: Path) -> Journal:
        facts = self._seeds[cell.seed]
        book = Journal(folder, context(self._plan, cell, facts), _now(), self._plan.labeled(cell))
        try:
            facts.initial.replay([cycle.chosen for cycle in book.cycles])
        except Impossible as error:
            raise book.impossible(error.cycle, str(error)) from error
        return book

    def _set_aside(self, folder: Path) -> bool:
        """Keep a cell's journal under another name; False if that cannot be done."""
        try:
            aside = journal.set_aside(folder)
        except OSError:
            return False
        if aside:
            self._warn(f"the cell begins again; its old journal is kept as {aside}")
        return aside is not None

    def _write(self, cell: Cell, cycle: CycleRecord) -> bool:
        """Write a cycle to its journal, and report it; False if it cannot be written."""
        self._claims.require_held()
        book = self._books[cell]
        if self._action == "retime":
            again = self._again.setdefault(cell, [])
            cycle = _measured_again(book.cycles[len(again)], cycle)
            again.append(cycle)
        else:
            before, self._crowded = self._crowded, self._claims.crowded()
            shared = before or self._crowded or not self._exclusive
            cycle = replace(cycle, at=_later(book), timing="shared" if shared else "exclusive")
            try:
                with postponed(signal.SIGINT, signal.SIGTERM):  # what is finished is written
                    book.append(cycle)
            except RunError as error:
                self._end(Outcome(cell=cell, status="failed", error=str(error)))
                return False
        self._emit("alharness_cycle_finished", run=self._plan, cell=cell, cycle=cycle)
        return True

    def _stop(self, cell: Cell) -> bool:
        """End a cell after its cycle if the run is to stop, unless this was its last one; whether it was ended."""
        last = self._action == "run" and len(self._books[cell].cycles) == len(self._plan.labeled(cell))
        if last or not self._stopping():
            return False
        self._end(Outcome(cell=cell, status="interrupted"))
        return True

    def _end(self, outcome: Outcome) -> None:
        """A cell has ended: complete its outcome by what its journal holds, and report it."""
        cell, book = outcome.cell, self._books.pop(outcome.cell, None)
        if self._action == "retime" and outcome.status == "ok" and book is not None:
            outcome = self._replace(book, outcome)
        outcome = self._with_traceback(outcome)
        if book is None:
            found = saved.outcome_of(self._plan, cell)
            outcome = replace(found, status=outcome.status, error=outcome.error)
        else:
            header, cycles = book.header, tuple(book.cycles)
            outcome = replace(outcome, cycles=cycles, started=header.started, context=header.context)
        self._train_no_more(cell)
        self.outcomes[cell] = outcome
        if outcome.status not in ("ok", "interrupted"):
            self._claims.note_end(outcome)
        self._emit("alharness_cell_ended", run=self._plan, record=outcome)

    def _train_no_more(self, cell: Cell) -> None:
        """No model of cycle 0 is trained for this cell any more."""
        for key, cells in [*self._training.items()]:
            cells.discard(cell)
            if not cells:
                del self._training[key]

    def _replace(self, book: Journal, outcome: Outcome) -> Outcome:
        """Write a cell's journal again, with its queries measured again."""
        last = replace(book.cycles[-1], timing="exclusive")
        try:
            with postponed(signal.SIGINT, signal.SIGTERM):  # what is finished is written
                book.replace([*self._again.pop(outcome.cell), last])
        except RunError as error:
            return replace(outcome, status="failed", error=str(error))
        self._emit("alharness_cycle_finished", run=self._plan, cell=outcome.cell, cycle=last)
        return outcome

    def _with_traceback(self, outcome: Outcome) -> Outcome:
        """Write the traceback of a bug into the cell's folder; its error then names the file."""
        if not outcome.traceback:
            return outcome
        path = self._directory.cell(outcome.cell) / "traceback.txt"
        try:
            write(path, outcome.traceback)
        except OSError as failure:
            where = f"its traceback is lost ({failure.strerror or failure})"
        else:
            where = f"see {path}"
        return replace(outcome, error=f"{outcome.error}; {where}", traceback="")


def _measured_again(old: CycleRecord, new: CycleRecord) -> CycleRecord:
    """A cycle with the times of its query replaced, and nothing else."""
    times = {name: value for name, value in new.cost.items() if name.startswith("query_")}
    return replace(old, cost={**old.cost, **times}, timing="exclusive", machine=new.machine)


def _now() -> int:
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


def _later(book: Journal) -> int:
    # A clock that was set back must not put a cycle before the one it follows.
    last = book.cycles[-1].at if book.cycles else book.header.started
    return max(_now(), last + 1)
