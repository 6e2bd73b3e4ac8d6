"""`alharness report`: what a run shows, as a page, pictures and tables."""

from __future__ import annotations

import webbrowser
from math import isfinite
from typing import TYPE_CHECKING

import click

from alharness.text.terminal import plain, safe
from alharness.text.words import command_line

from .options import FOLDER, runs_argument, statistics_option, warn, workdir_option
from .page import make_console

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from alharness.api.plan import Statistics
    from alharness.report.document import Answer, Document
    from alharness.report.page import Written
    from alharness.results.run import RunResults

    from .console import PageConsole


@click.command
@runs_argument
@click.option(
    "--out",
    type=FOLDER,
    metavar="DIR",
    help="Where to write it; default: RUN/report, of a matrix reports/NAME, else ./report.",
)
@click.option(
    "--target",
    "targets",
    type=float,
    multiple=True,
    metavar="X",
    help="Also count the labels to this value of the ranking metric.",
)
@click.option("--each", is_flag=True, help="Of several runs, also write the page of each, into its run directory.")
@statistics_option
@workdir_option()
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
def report(
    runs: tuple[Path, ...],
    out: Path | None,
    targets: tuple[float, ...],
    statistics: Statistics | None,
    workdir: Path,
    *,
    each: bool,
    show: bool,
) -> int:
    """Write a report of a run directory: index.html, which needs no other file, PNG, SVG and CSV.

    It needs the journals alone: neither MLflow, nor the data, nor the samplers. Runs may still be running; what
    is missing is listed. RUN is a run directory, or the name or the file of a spec with one run in --workdir, or
    with one of each of its settings. Several runs, of different data sets or budgets, are ranked over all of them;
    their page links to the page of each that has one. Of a folder with run directories it lists them, and writes
    nothing.

    \b
        alharness report runs
        alharness report openclipart
        alharness report runs/openclipart-1a2b3c4d
        alharness report first_grid
        alharness report runs/simsv2_budget200-1a2b3c4d --target 0.35 --open
        alharness report runs/* --each
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    if not all(map(isfinite, targets)):
        raise click.UsageError("--target is a value that a metric may reach: a finite number")
    from alharness.runs.finding import find_runs, list_runs, report_folder

    page = make_console()
    if len(runs) == 1 and runs[0].is_dir() and (inside := list_runs(runs[0])):
        page.say(f"{len(inside)} run{'s' if len(inside) > 1 else ''} in {runs[0]}:", style="bold")
        for run in inside:
            page.say(command_line("report", run.path))
            page.say(
                f"    {safe(run.progress)}, last written {run.date}"
            )  # what follows says why nothing is written
    folders = [folder for run in runs for folder in find_runs(run, workdir, warn)]
    with page.status("reading journals"):
        from alharness.results.run import RunResults

        with_pool = len(folders) == 1 or each
        found = [RunResults.read(folder, with_pool=with_pool, statistics=statistics) for folder in folders]
    written = publish(page, found, out or report_folder(runs, folders), targets, each=each)
    if show:
        webbrowser.open(written.page.resolve().as_uri())
    return 0


def publish(
    page: PageConsole,
    found: Sequence[RunResults],
    folder: Path,
    targets: Sequence[float] = (),
    *,
    each: bool = False,
) -> Written:
    """Write the report of one or several runs, and print its answers and its place.

    Args:
        page: the console.
        found: the runs, read back.
        folder: what to write into.
        targets: see `alharness.report.build.single`.
        each: of several, also write the page of each into its run directory.
    """
    from alharness.report.build import page_of, several, single
    from alharness.report.page import write

    alone = len(found) == 1
    with page.status("drawing") as status:

        def draw(document: Document, where: Path) -> Written:
            return write(document, where, lambda what: status.update(f"drawing: {plain(what)}"))

        if each and not alone:
            for results in found:
                draw(single(results, targets), page_of(results.run.folder).parent)
        document = single(found[0], targets) if alone else several(found, folder)
        written = draw(document, folder)
    if document.notice:
        page.say(document.notice, style="bold yellow")
    show_answers(page, document.answers)
    page.say(f"Page:     {written.page}")
    page.print(f"Pictures: {written.pictures}, as PNG and SVG; tables: {written.tables}, as CSV, next to it")
    return written


def show_answers(page: PageConsole, answers: Iterable[Answer]) -> None:
    """Questions with their answers, and below each what it rests on."""
    for answer in answers:
        page.print(f"{answer.question} ", style="bold", end="")
        page.say(answer.short)
        for reason in answer.reasons:
            page.say(f"    {reason}")
