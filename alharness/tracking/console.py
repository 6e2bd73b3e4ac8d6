"""Progress on the console: bars on a terminal, lines elsewhere, and how long the rest will take."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from alharness.api.hooks import hookimpl
from alharness.runs.costs import spent
from alharness.runs.saved import outcome_of
from alharness.text.numbers import number, seconds, time_in_words
from alharness.text.terminal import safe
from alharness.text.words import NOTICE

from .forecast import Forecast

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from rich.console import Console
    from rich.progress import Task

    from alharness.api.records import Cell, CycleRecord, Look, Outcome, Plan

BARS = 12
"""Samplers that have a bar, at most; then those of which a cycle has just finished."""
EXAMPLES = 3
"""Cells of a sampler whose journals are read for their costs, when a run is continued."""
QUIET = 60.0
"""Seconds between lines of progress in a log, at least."""
QUIET_SHARE = 0.05
"""The same as a share of the time so far, so that the log of a week has hundreds of lines, not thousands."""
LONGEST_REASON = 200
"""Characters of a failure in its line; the whole follows at the end of the run."""


ROOM_FOR_NAMES, ROOM_FOR_BARS, ROOM_FOR_NOTES = 36, 70, 110
"""Columns of a terminal from which on names, bars, and what cells have reached, are shown."""


class ConsoleProgress:
    """On a terminal a bar for all cells and one for each sampler, and a line above them for each cell that ends.

    Elsewhere, in a log say, only lines.

    Args:
        console: the console to print on.
        only: labels of samplers or names of cells, if not all of the run are at work; see `runs.run.Options`.
        clock: seconds that never go back.
        moving: whether bars are seen; by default on a terminal.
        title: shown first, if it is one setting of several.
    """

    def __init__(
        self,
        console: Console,
        *,
        only: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
        moving: bool | None = None,
        title: str = "",
    ) -> None:
        self._console, self._only, self._clock = console, {*only}, clock
        terminal = console.is_terminal and not console.is_dumb_terminal
        self._moving = terminal if moving is None else moving
        self._forecast = Forecast(workers=1)
        # Twice a second: drawing more often would be felt by the queries that are being timed.
        self._bars = Progress(
            *_columns(console.width, _TimeLeft(self._left)),
            console=console,
            refresh_per_second=2,
            disable=not terminal,
        )
        self._grid = self._bars.add_task("all cells", note="", whole=True, start=False)
        self._samplers: dict[str, TaskID] = {}  # bars by label
        self._open: dict[str, set[Cell]] = {}  # cells by label that are not complete
        self._asked: tuple[Cell, ...] = ()
        self._finished: dict[str, int] = {}  # name of a cell -> its cycles
        self._complete = self._done = self._total = 0
        self._began = self._printed = clock()
        self._title = title

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Take the bars away at the end, however it comes."""
        if self._title:
            self._print(self._title, "bold")
        try:
            yield
        finally:
            self._bars.stop()

    @hookimpl
    def alharness_run_started(self, run: Plan) -> None:
        """Show the bars; what earlier runs finished counts as done, and says what cycles cost."""
        if run.synthetic:
            self._print(NOTICE, "bold yellow")
        self._asked = tuple(c for c in run.cells if not self._only or {c.label, c.name} & self._only)
        cycles = {cell.name: len(run.labeled(cell)) for cell in self._asked}
        finished = self._finished = {name: run.finished.get(name, 0) for name in cycles}
        self._total, self._done = sum(cycles.values()), sum(finished.values())
        self._complete = sum(finished[name] == count for name, count in cycles.items())
        most = "at most " if run.stopping else ""
        if self._done:
            self._print(
                f"Continuing: {self._done} of {most}{self._total} cycles are finished already, "
                f"{self._complete} of {most}{len(self._asked)} cells complete."
            )
        self._began = self._printed = self._clock()
        self._forecast = Forecast(workers=run.jobs)
        self._forecast.expect(run, self._asked, self._began)
        for record in _examples(run):
            self._forecast.learn(record)
        for cell in self._asked:
            if finished[cell.name] < cycles[cell.name]:
                self._open.setdefault(cell.label, set()).add(cell)
        self._bars.update(self._grid, total=self._total, completed=self._done)
        self._bars.start_task(self._grid)
        self._bars.start()
        self._draw()

    @hookimpl
    def alharness_seeds_judged(self, run: Plan, look: Look) -> None:
        """Say what is decided; cells that are needed no more are not expected any longer."""
        spared = [cell for cell in self._asked if cell not in look.possible and self._open_cell(cell)]
        for cell in spared:
            self._total -= len(run.labeled(cell)) - self._finished[cell.name]
            self._close(cell)
            self._forecast.drop(cell, self._clock())
        self._asked = tuple(cell for cell in self._asked if cell not in set(spared))
        self._bars.update(self._grid, total=self._total)
        for line in look.lines:
            self._say(line, style="bold")
        self._draw()

    @hookimpl
    def alharness_cycle_finished(self, run: Plan, cell: Cell, cycle: CycleRecord) -> None:
        """Advance the bars; in a log, say now and then how far it is."""
        self._done += 1
        now = self._clock()
        self._forecast.advance(cell, cycle, now)
        self._bars.update(self._bar(run, cell.label), advance=1, note=f"s{cell.seed}: {_reached(run, cycle)}")
        self._finished[cell.name] = cycle.cycle + 1
        self._bars.advance(self._grid)
        if cycle.cycle + 1 == len(run.labeled(cell)):
            self._close(cell)
        self._draw()
        quiet = max(QUIET, QUIET_SHARE * (now - self._began))
        if not self._moving and now - self._printed >= quiet and self._done < self._total:
            cells = f"{self._complete} of {len(self._asked)} cells complete"
            self._say(f"{self._done} of {self._total} cycles, {cells}")

    @hookimpl
    def alharness_cell_ended(self, run: Plan, record: Outcome) -> None:
        """A line for a cell that is complete or failed."""
        name = record.cell.name
        self._close(record.cell)
        self._forecast.drop(record.cell, self._clock())
        if record.status == "interrupted":
            return
        if record.status == "ok":
            self._complete += 1
            took = sum(spent(cycle) for cycle in record.cycles)
            what = f"{_reached(run, record.cycles[-1])}, ok in {seconds(took)}"
            self._say(f"[{self._complete}/{len(self._asked)}] {name}: {what}")
            return
        reason = safe(record.error or "stopped").partition("\n")[0]
        short = reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 3]}..."
        self._say(f"[{self._complete}/{len(self._asked)}] {name}: {record.status}: {short}", style="red")

    def _say(self, line: str, style: str | None = None) -> None:
        """A line, which in a log has the time of day and the time left."""
        if not self._moving:
            left = self._left()
            more = f"; {time_in_words(left)} left" if left is not None and self._done < self._total else ""
            line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}{more}"
        self._print(line, style)
        self._printed = self._clock()

    def _print(self, line: str, style: str | None = None) -> None:
        """Show a line for good."""
        self._console.print(line, style=style, markup=False, soft_wrap=True)

    def _draw(self) -> None:
        """Show the bars as they are now; on a terminal rich does so itself."""

    def _left(self) -> float | None:
        return self._forecast.left(self._clock())

    def _bar(self, run: Plan, label: str) -> TaskID:
        """The bar of a sampler, with what earlier runs have finished of it."""
        bar = self._samplers.pop(label, None)
        if bar is None:
            if len(self._samplers) == BARS:
                self._give_up_bar(next(iter(self._samplers)))
            cells = [cell for cell in self._asked if cell.label == label]
            total = sum(len(run.labeled(cell)) for cell in cells)
            done = sum(self._finished.get(cell.name, 0) for cell in cells)
            bar = self._bars.add_task(label, total=total, completed=done, note="", whole=False)
        self._samplers[label] = bar  # the last one in order
        return bar

    def _open_cell(self, cell: Cell) -> bool:
        """Whether it is not complete, and has not failed."""
        return cell in self._open.get(cell.label, ())

    def _close(self, cell: Cell) -> None:
        """A cell has ended. The bar of a sampler goes with its last cell."""
        cells = self._open.get(cell.label, set())
        cells.discard(cell)
        if not cells:
            self._give_up_bar(cell.label)

    def _give_up_bar(self, label: str) -> None:
        if label in self._samplers:
            self._bars.remove_task(self._samplers.pop(label))


def _columns(width: int, left: ProgressColumn) -> Iterator[ProgressColumn]:
    """As many as fit: rich shrinks columns that do not until nothing of them is left."""
    if width >= ROOM_FOR_NAMES:
        yield TextColumn("{task.description}", style="bold")
    if width >= ROOM_FOR_BARS:
        yield BarColumn(bar_width=None if width < ROOM_FOR_NOTES else 40)
    yield MofNCompleteColumn()
    if width >= ROOM_FOR_BARS:
        yield TextColumn("cycles")
        yield TimeElapsedColumn()
    yield left
    if width >= ROOM_FOR_NOTES:
        yield TextColumn("{task.fields[note]}", style="dim")


class _TimeLeft(ProgressColumn):
    """The time left of the whole run, in its own bar."""

    def __init__(self, left: Callable[[], float | None]) -> None:
        super().__init__()
        self._seconds = left

    def render(self, task: Task) -> Text:
        if not task.fields["whole"] or task.completed == task.total:
            return Text("")
        left = self._seconds()
        return Text("estimating" if left is None else f"{time_in_words(left)} left", style="progress.remaining")


def _reached(run: Plan, cycle: CycleRecord) -> str:
    return f"{run.metric} {number(cycle.metrics[run.metric])} at {cycle.labeled} labels"


def _examples(run: Plan) -> Sequence[Outcome]:
    """Some cells with finished cycles of each sampler, as their journals have them."""
    found: list[Outcome] = []
    taken: dict[str, int] = {}
    for cell in run.cells:
        if taken.get(cell.label, 0) < EXAMPLES:
            record = outcome_of(run, cell)
            if record.cycles:
                taken[cell.label] = taken.get(cell.label, 0) + 1
                found.append(record)
    return found
