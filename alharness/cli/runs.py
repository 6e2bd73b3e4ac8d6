"""`alharness runs`: the run directories in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from alharness.runs.finding import list_runs
from alharness.text.terminal import plain
from alharness.text.words import command_line

from .options import workdir_option
from .page import make_console, make_table

if TYPE_CHECKING:
    from pathlib import Path


@click.command
@workdir_option()
def runs(workdir: Path) -> None:
    """List the run directories in a folder: name, setting, progress and date; the last one comes first.

    report, compare and export take a run by its directory, or by the name or the file of its spec if there is one
    run of it:

    \b
        alharness runs
        alharness runs --workdir /data/runs
        alharness report digits_quick
        alharness report runs/digits_quick-1a2b3c4d
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    found = list_runs(workdir)
    if not found:
        click.echo(plain(f"No runs in {workdir}. Make one with: {command_line('run', 'SPEC')}"))
        return
    page = make_console()
    rows = [
        (run.path.name, run.setting, run.problem or f"{run.complete:,} of {run.cells:,}", run.date)
        for run in found
    ]
    page.print(make_table(("run", "setting", "cells complete", "last cycle"), rows))
