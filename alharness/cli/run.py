"""`alharness run`: run a spec, or continue it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from alharness.runs.finding import enough
from alharness.runs.groups import stack_size
from alharness.runs.processes import start_server
from alharness.spec import load_all
from alharness.spec.finding import find_spec
from alharness.spec.grid import make_plans, select
from alharness.text.terminal import safe
from alharness.text.words import NOTICE, command_line

from . import FAILED, INTERRUPTED, show_error
from .grid import close_all
from .options import include_option, load_plugins, set_option, specs_argument, workdir_option
from .page import make_console

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from alharness.api.records import Outcomes, Plan
    from alharness.tracking.trackers import SafeTracker

    from .console import PageConsole

TERMINATED = 143


def _read_stack(_: click.Context, __: click.Parameter, value: str) -> int | None:
    try:
        return stack_size(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command
@specs_argument
@set_option()
@include_option
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Run only this sampler's label, this cell (grace-s0), or this setting.",
)
@workdir_option()
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 1024),
    default=1,
    show_default=True,
    help="Groups of cells to run at a time, which share the cores. Query times are then marked as shared.",
)
@click.option(
    "--stack",
    callback=_read_stack,
    metavar="N|auto",
    default="auto",
    show_default=True,
    help="Most cells of a group, whose models train together. auto: as many as help and fit into the memory.",
)
@click.option("--retime", is_flag=True, help="Measure the queries of finished cells again, alone; run nothing.")
@click.option(
    "--restart",
    is_flag=True,
    help="Begin cells again that cannot be continued, or were finished under other conditions; journals are kept.",
)
@click.option(
    "--keep",
    is_flag=True,
    help="Leave cells as they are that were finished under other conditions; new ones are not compared with them.",
)
@click.option("--no-tracking", is_flag=True, help="Use no tracker, whatever the spec says.")
@click.option("--require-tracking", is_flag=True, help="Fail if a tracker cannot keep the results.")
def run(
    paths: tuple[Path, ...],
    assignments: tuple[str, ...],
    include: tuple[Path, ...],
    *,
    no_tracking: bool,
    require_tracking: bool,
    **asked: Any,
) -> int:
    """Run every cell (sampler x seed) of each SPEC, a file or the name of one in specs/, that is not finished yet.

    Stop it whenever you like, with Ctrl-C or kill: the same command continues after the last finished cycle of
    each cell. If you add a sampler or a seed to the spec, only its cells are run. The settings of a spec with a
    matrix, and several specs, run one after the other; a report over all of them follows. For example:

    \b
        alharness run specs/digits_quick.yaml
        alharness run specs/digits_quick.yaml --only grace --set seeds=10
        alharness run specs/digits_quick.yaml --jobs 2
        alharness run my_comparison.yaml --include my_sampler.py
        alharness run specs/digits_quick.yaml --retime
        alharness run specs/first_grid.yaml
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    if no_tracking and require_tracking:
        raise click.UsageError("--no-tracking and --require-tracking exclude each other")
    if asked["keep"] and asked["restart"]:
        raise click.UsageError("--keep and --restart exclude each other")
    installed = load_plugins(include)
    specs = [spec for path in paths for spec in load_all(find_spec(path), installed, assignments)]
    specs, asked["only"] = select(specs, asked["only"])
    plans = make_plans(specs, asked["workdir"])  # nothing runs if anything is wrong
    page = make_console()

    @cache  # settings may give the same reason
    def warn(message: str) -> None:
        page.say(f"warning: {safe(message)}", style="yellow")

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Shells do that to what a script starts in the background.
        page.say(f"Ctrl-C is ignored here; to stop it: kill {os.getpid()}")
    start_server()  # once the spec is known to be right: it imports torch while this process does other things
    from alharness.attempts import carry_out
    from alharness.runs.run import Options
    from alharness.tracking.console import ConsoleProgress

    command = command_line(*sys.argv[1:])
    options = Options(**asked, again=lambda option: f"{command} --{option}", at_leisure=_import_what_the_end_needs)

    def show(title: str) -> ConsoleProgress:
        doing = "measuring queries again" if options.retime else "starting"
        page.print(f"{title or specs[0].name}: {doing}", style="bold")
        return ConsoleProgress(page, only=options.only)

    code, tracked = 0, {"tracking": not no_tracking, "required": require_tracking}
    with _terminable() as signals:
        attempts = carry_out(specs, plans, installed, options, warn, show, **tracked)
        for number, attempt in enumerate(attempts, 1):
            if attempt.error:
                if len(specs) == 1:
                    raise attempt.error
                show_error(f"{attempt.plan.name}: {attempt.error}")
                code = max(code, attempt.error.exit_code)
            elif attempt.outcomes is None:
                page.print(f"{number}/{len(specs)} {attempt.plan.name}: finished before", style="bold")
            else:
                _close(page, attempt.plan, attempt.outcomes, attempt.trackers, alone=len(specs) == 1)
                code = max(code, FAILED if attempt.outcomes.failed else 0)
            if attempt.interrupted:
                page.say(f"Interrupted. Nothing finished is lost; continue with: {command}")
                return TERMINATED if signals else INTERRUPTED
        if len(specs) > 1:
            close_all(page, paths, plans)
    return code


def _import_what_the_end_needs() -> None:
    """For the table and the pictures, while other processes compute the last cells."""
    for module in ("alharness.report.curves", "alharness.report.tables", "matplotlib.figure"):
        import_module(module)


def _close(
    page: PageConsole, plan: Plan, outcomes: Outcomes, trackers: Sequence[SafeTracker], *, alone: bool
) -> None:
    """The table, the pictures, what went wrong, and where everything is."""
    from alharness.report.curves import draw
    from alharness.report.tables import closing_table, paper_table
    from alharness.results.run import RunResults

    page.print()
    results = RunResults(run=plan, records=outcomes.cells)
    page.print(closing_table(results))
    if beside := paper_table(results):
        page.print(beside)
    elif plan.paper and plan.synthetic:
        page.say(f"{plan.paper.source}: its figures are shown with results on real data only")
    if any(found.timing == "shared" for found in outcomes.cells if not found.cell.reference):
        again = command_line("run", *(word for word in sys.argv[2:] if word != "--retime"), "--retime")
        page.say(f"Query times were measured while other cells were running; alone: {again}")
    if seeds := enough(outcomes.cells):
        page.say(f"{seeds}.")
    for skip in plan.skips:
        page.say(f"skipped: {skip.label}: {safe(skip.reason)}")
    for failure in outcomes.failed:
        page.say(f"{failure.status}: {failure.cell.name}: {safe(failure.error or 'stopped')}", style="red")
    picture = plan.folder / "curves.png"
    drawn = False
    with _harmless(page, picture):
        drawn = draw(results, picture)
    if drawn:
        page.say(f"Curves:   {picture}")
    if drawn and alone:  # otherwise a report over all settings follows
        page.say(f"Report:   {command_line('report', plan.folder)}")
    page.say(f"Journals: {plan.folder / 'cells'}")
    for tracker in trackers:
        if where := tracker.where():
            page.say(f"{safe(tracker.title) + ':':<9} {safe(where)}")
    if plan.synthetic:
        page.say(NOTICE, style="bold yellow")


@contextmanager
def _harmless(page: PageConsole, picture: Path) -> Iterator[None]:
    """What is complete stays complete: a picture that cannot be drawn is a warning, and costs no exit code."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a full disk, a folder that matplotlib cannot write to
        page.say(f"warning: {picture} is not drawn: {safe(f'{type(error).__name__}: {error}')}", style="yellow")


@contextmanager
def _terminable() -> Iterator[list[int]]:
    """SIGTERM, sent by batch systems before they kill, ends a run as Ctrl-C does; gives the signals met."""
    met: list[int] = []

    def stop(number: int, _: object) -> None:
        met.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield met
    finally:
        signal.signal(signal.SIGTERM, before)
