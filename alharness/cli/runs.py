"""`alharness runs`: the run directories in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from alharness.runs.finding import FoundRun, find_runs, list_runs
from alharness.text.terminal import plain
from alharness.text.words import command_line

from .options import PATH, warn, workdir_option
from .page import make_console, make_table

if TYPE_CHECKING:
    from pathlib import Path


@click.command
@click.argument("named", metavar="[SPEC]...", nargs=-1, type=PATH)
@workdir_option()
def runs(named: tuple[Path, ...], workdir: Path) -> None:
    """List the run directories in a folder, or those of each SPEC: name, setting, progress and date.

    The last one comes first. Of a spec with a matrix all settings are listed.

    report, compare and export take a run by its directory, or by the name or the file of its spec if there is one
    run of it, or of each of its settings:

    \b
        alharness runs
        alharness runs first_grid
        alharness runs --workdir /data/runs
        alharness report openclipart
        alharness report runs/openclipart-1a2b3c4d
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    found = list_runs(workdir)
    if named:
        meant = {folder for one in named for folder in find_runs(one, workdir, warn)}
        found = [run for run in found if run.path in meant]
    if not found:
        click.echo(plain(f"No runs in {workdir}. Make one with: {command_line('run', 'SPEC')}"))
        return
    page = make_console()
    rows = [(run.path.name, run.setting, run.problem or _complete(run), run.date) for run in found]
    page.print(make_table(("run", "setting", "cells complete", "last cycle"), rows))


def _complete(run: FoundRun) -> str:
    return f"{run.complete:,} of {run.cells:,}" + (f"; {run.enough}" if run.enough else "")
