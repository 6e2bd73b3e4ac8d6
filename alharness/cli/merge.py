"""`alharness merge`: run directories that were made apart become one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from alharness.text.words import command_line

from .options import FOLDER, warn
from .page import make_console

if TYPE_CHECKING:
    from pathlib import Path


@click.command
@click.argument("target", metavar="DEST", type=FOLDER)
@click.argument("sources", metavar="SRC...", nargs=-1, required=True, type=FOLDER)
def merge(target: Path, sources: tuple[Path, ...]) -> None:
    """Copy the cells of run directories SRC into DEST, if all were made under the same conditions.

    For shards that had no common disk. A SRC is a run directory, or a folder of run directories; DEST is a run
    directory, or the folder to make them in. Setting, data, versions and device are compared first, and the cells
    that several have: if anything differs, it is named, and nothing is copied. A cell that several have is taken
    from the one that is further. The command can be repeated. For example:

    \b
        alharness merge runs node1/runs node2/runs
        alharness merge runs/openclipart-1a2b3c4d node2/runs/openclipart-1a2b3c4d
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    from alharness.runs.merging import merge as join

    page = make_console()
    for merged in join(target, sources, warn):
        page.say(f"{merged.folder}: {merged.complete:,} of {merged.cells:,} cells complete")
        for folder, cells in merged.copied.items():
            page.say(f"  {cells:,} cell{'s' * (cells > 1)} copied from {folder}")
        if not merged.copied:
            page.say("  nothing to copy: it has all that the others have")
        page.say(f"  Report: {command_line('report', merged.folder)}")
        page.say(f"  MLflow: {command_line('sync', merged.folder)}")
