"""Progress on the console: a bar for each cell at work and one for the whole grid, with the time left."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from alharness.hookspecs import hookimpl
from alharness.synthetic import NOTICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from alharness.cells import Cell
    from alharness.records import CycleRecord, Run


class ConsoleProgress:
    """Bars on a terminal; elsewhere, in a log file say, one line per finished cell."""

    def __init__(self, console: Console) -> None:
        self._console = console
        # Twice a second: drawing more often would be felt by the queries that are being timed.
        self._bars = Progress(
            TextColumn("{task.description}", style="bold"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("cycles"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", style="dim"),
            console=console,
            refresh_per_second=2,
            disable=not console.is_terminal,
        )
        self._grid = self._bars.add_task("all cells", note="", start=False)
        self._cells: dict[str, TaskID] = {}
        self._complete = 0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Take the bars away at the end, however it comes."""
        try:
            yield
        finally:
            self._bars.stop()

    @hookimpl
    def alharness_run_started(self, run: Run) -> None:
        """Show the bars; what earlier runs finished counts as done."""
        if run.synthetic:
            self._console.print(NOTICE, style="bold yellow", soft_wrap=True)
        cycles = {cell.name: len(run.labeled(cell)) for cell in run.cells}
        total, done = sum(cycles.values()), sum(run.finished.values())
        self._complete = sum(run.finished.get(name) == count for name, count in cycles.items())
        if done:
            self._console.print(
                f"Continuing: {done} of {total} cycles are finished already, "
                f"{self._complete} of {len(run.cells)} cells complete."
            )
        self._bars.start()
        self._bars.update(self._grid, total=total, completed=done)
        self._bars.start_task(self._grid)

    @hookimpl
    def alharness_cycle_finished(self, run: Run, cell: Cell, cycle: CycleRecord) -> None:
        """Advance the bars."""
        cycles = len(run.labeled(cell))
        value = f"{run.metric} {cycle.metrics[run.metric]:.3f} at {cycle.labeled} labels"
        self._bars.update(self._bar(cell.name, cycles, run.jobs), completed=cycle.cycle + 1, note=value)
        self._bars.advance(self._grid)
        if cycle.cycle + 1 == cycles:
            self._bars.remove_task(self._cells.pop(cell.name))
            self._complete += 1
            if not self._console.is_terminal:
                self._console.print(f"[{self._complete}/{len(run.cells)}] {cell.name}: {value}", markup=False)

    def _bar(self, name: str, cycles: int, jobs: int) -> TaskID:
        """The bar of a cell at work; there are no more than cells at a time: one that failed gives its bar up."""
        if name not in self._cells:
            if len(self._cells) == jobs:
                self._bars.remove_task(self._cells.pop(next(iter(self._cells))))
            self._cells[name] = self._bars.add_task(name, total=cycles, note="")
        return self._cells[name]
