"""`alharness status`: how far runs are, which processes work on them, and what failed."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from alharness.text.numbers import NOTHING, time_in_words
from alharness.text.terminal import safe

from . import FAILED as SOME_FAILED
from .options import runs_argument, warn
from .page import make_console, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from alharness.runs.status import RunStatus, Watcher

    from .console import PageConsole

SECONDS = 2.0
"""Between two looks, at least."""
SHARE = 0.05
"""Of the time that looking may take: journals of thousands of cells on a network file system."""
LINES = 60.0
"""Seconds between two lines in a log."""
MOST = 10
"""Processes, and failures, that are listed."""


@click.command
@runs_argument
@click.option(
    "--watch", is_flag=True, help="Look again and again, until all cells have ended. Ctrl-C ends it, too."
)
def status(runs: tuple[Path, ...], *, watch: bool) -> int:
    """Say how far each RUN is: cells that are complete, running, waiting and failed, and the time left.

    A RUN is a run directory, or the name or the file of a spec with a run in ./runs. The command only reads, and
    works on any host that sees the folder. Running cells are those that a process has begun. The time left is that
    of the processes at work, for their own cells. For example:

    \b
        alharness status openclipart
        alharness status runs/* --watch

    Exit codes: 0 all is complete, at work or submitted, 1 some cells failed, or some are left and no process works
    on any, 2 usage.
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    from alharness.runs.finding import find_runs
    from alharness.runs.status import Watcher

    watchers = [Watcher(folder) for one in runs for folder in find_runs(one, warn=warn)]
    page = make_console()
    looks = _looks(watchers, again=watch)
    if not watch:
        found = next(looks)
        page.print(_table(found))
        for line in _lines(found):
            page.say(line)
    elif page.is_terminal and not page.is_dumb_terminal:
        found = _show_moving(page, looks)
    else:
        found = _show_lines(page, looks)
    return SOME_FAILED if any(run.needs_help for run in found) else 0


def _looks(watchers: Sequence[Watcher], *, again: bool) -> Iterator[list[RunStatus]]:
    """How far runs are: once, or again and again until all cells have ended, or Ctrl-C."""
    with suppress(KeyboardInterrupt):
        while True:
            began = time.monotonic()
            found = [watcher.look() for watcher in watchers]
            took = time.monotonic() - began
            yield found
            if not again or all(run.ended for run in found):
                return
            time.sleep(max(SECONDS, took / SHARE))


def _show_moving(page: PageConsole, looks: Iterator[list[RunStatus]]) -> list[RunStatus]:
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    found: list[RunStatus] = []
    with Live(console=page, auto_refresh=False) as live:
        for look in looks:
            found = look
            live.update(Group(_table(found), *map(Text, _lines(found))), refresh=True)
    return found


def _show_lines(page: PageConsole, looks: Iterator[list[RunStatus]]) -> list[RunStatus]:
    found: list[RunStatus] = []
    said, at = "", 0.0
    for look in looks:
        found, text = look, "\n".join(map(_line, look))
        if text != said and (not said or time.monotonic() - at >= LINES or all(run.ended for run in found)):
            for line in text.splitlines():
                page.say(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}")
            said, at = text, time.monotonic()
    return found


def _table(found: Sequence[RunStatus]) -> RenderableType:
    headings = ("run", "complete", "running", "waiting", "failed", "cycles", "time left")
    return make_table(headings, [_row(run) for run in found])


def _lines(found: Sequence[RunStatus]) -> Iterator[str]:
    """Who works on runs, and what failed in them."""
    for run in found:
        heading = f"{run.folder}: " if len(found) > 1 else ""
        yield from (f"{heading}{safe(line)}" for line in (*_who(run), *_failures(run)))


def _row(run: RunStatus) -> tuple[str, ...]:
    states, total = run.states, sum(run.states.values())
    return (
        str(run.folder),
        f"{states['complete']:,} of {total:,}",
        *(f"{states[name]:,}" for name in ("running", "waiting", "failed")),
        f"{run.cycles:,} of {run.of:,}" if run.of else NOTHING,
        _left(run),
    )


def _left(run: RunStatus) -> str:
    if run.ended:
        return NOTHING
    if not run.processes:
        return "in the queue" if run.queued else "no process is at work"
    return "not known yet" if run.left is None else time_in_words(run.left)


def _line(run: RunStatus) -> str:
    states, total = run.states, sum(run.states.values())
    some = [f"{states[name]:,} {name}" for name in ("running", "waiting", "failed") if states[name]]
    cells = ", ".join([f"{states['complete']:,} of {total:,} cells complete", *some])
    left = "" if run.ended else f"; {_left(run)}{' left' if run.left is not None else ''}"
    return f"{run.name}: {cells}{left}"


def _who(run: RunStatus) -> Iterator[str]:
    for process in run.processes[:MOST]:
        since = f" since {process.since:%Y-%m-%d %H:%M}" if process.since else ""
        left = f", {time_in_words(process.left)} left" if process.left is not None else ""
        yield f"{process.name}{since}: {process.complete:,} of its {process.cells:,} cells complete{left}"
    if len(run.processes) > MOST:
        yield f"and {len(run.processes) - MOST:,} more processes"
    for queued in run.queued:
        jobs = f"jobs {queued.jobs[0]} to {queued.jobs[-1]}" if queued.jobs[1:] else f"job {queued.jobs[0]}"
        when = f"submitted {queued.at:%Y-%m-%d %H:%M}"
        yield f"{queued.system}: {jobs}, {when}, with {queued.cells:,} cells: not begun yet; logs: {queued.logs}"
    if not (run.processes or run.queued or run.ended):
        yield "No process works on what is left: run its spec again to continue."


def _failures(run: RunStatus) -> Iterator[str]:
    for name, why in list(run.failures.items())[:MOST]:
        yield f"{name}: {why}"
    if len(run.failures) > MOST:
        yield f"and {len(run.failures) - MOST:,} more that failed"
