"""`alharness report`: what a run shows, as a page, pictures and tables."""

from __future__ import annotations

import webbrowser
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alharness.errors import HarnessError
from alharness.text.program import command_line
from alharness.text.terminal import plain, safe

from .page import open_page

if TYPE_CHECKING:
    from rich.console import Console

    from alharness.report.document import Document


@click.command
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where to write it; default: RUN/report, for several runs ./report.",
)
@click.option(
    "--target", "targets", type=float, multiple=True, metavar="X", help="How many labels until this value?"
)
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
def report(runs: tuple[Path, ...], out: Path | None, targets: tuple[float, ...], *, show: bool) -> int:
    """Write a report of a run directory: index.html, which needs no other file, PNG, SVG and CSV.

    It needs the journals alone: neither MLflow, nor the data, nor the samplers. Runs may still be going on; what
    is missing is listed. Several runs, of different data sets or budgets, are ranked over all of them. Of a folder
    with run directories it lists them, and writes nothing.

    \b
        alharness report runs
        alharness report runs/digits_quick-1a2b3c4d
        alharness report runs/simsv2_budget200-1a2b3c4d --target 0.35 --open
        alharness report runs/*
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    if not all(map(isfinite, targets)):
        raise click.UsageError("--target is a value that a metric may reach: a finite number")
    page = open_page()
    if len(runs) == 1 and (inside := _runs_in(runs[0])):
        _print_runs(page, runs[0], inside)  # what follows says why nothing is written
    with page.status("reading journals") as status:
        document = _document(runs, targets)
        from alharness.report.page import write

        folder = out or (runs[0] / "report" if len(runs) == 1 else Path("report"))
        written = write(document, folder, lambda what: status.update(f"drawing: {plain(what)}"))
    if document.notice:
        page.print(document.notice, style="bold yellow", soft_wrap=True)
    for answer in document.answers:
        page.print(f"{answer.question} ", style="bold", end="")
        page.print(plain(answer.short), soft_wrap=True)
        for reason in answer.reasons:
            page.print(f"    {plain(reason)}", soft_wrap=True)
    page.print(f"Page:     {written.page}", soft_wrap=True)
    page.print(f"Pictures: {written.pictures}, as PNG and SVG; tables: {written.tables}, as CSV, beside it")
    if show:
        webbrowser.open(written.page.resolve().as_uri())
    return 0


def _runs_in(folder: Path) -> list[Path]:
    """Plan directories in a folder that is none itself."""
    from alharness.runs.description import NAME  # brings pydantic, which `--help` does without

    if (folder / NAME).exists():
        return []
    return sorted(path.parent for path in folder.glob(f"*/{NAME}"))


def _print_runs(page: Console, folder: Path, runs: list[Path]) -> None:
    """What there is, the newest first, each with its command."""
    from alharness.results.reading import read
    from alharness.runs.description import NAME

    lines = []
    for run in runs:
        command = command_line("report", run)
        try:
            found = read(run, with_pool=False)
        except HarnessError as error:
            lines.append((0.0, f"cannot be read: {error}", command))
            continue
        cycles = [cycle.at / 1000 for record in found.records for cycle in record.cycles]
        complete, total = len(found.complete), len(found.records)
        at = max(cycles, default=(run / NAME).stat().st_mtime)
        when = datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M")
        lines.append((at, f"{complete:,} of {total:,} cells complete, last written {when}", command))
    page.print(plain(f"{len(runs)} run{'s' if len(runs) > 1 else ''} in {folder}:"), style="bold", soft_wrap=True)
    for _, progress, command in sorted(lines, reverse=True):
        page.print(plain(command), soft_wrap=True)
        page.print(f"    {safe(progress)}", soft_wrap=True)


def _document(runs: tuple[Path, ...], targets: tuple[float, ...]) -> Document:
    from alharness.report.build import several, single
    from alharness.results.reading import read

    found = [read(folder) for folder in runs]
    return single(found[0], targets) if len(found) == 1 else several(found)
