"""`alharness run`: run a spec, or continue it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alharness.runs.groups import stack_size
from alharness.runs.processes import start_server
from alharness.runs.shards import Shard
from alharness.spec import load_all
from alharness.spec.executor import is_batch
from alharness.spec.finding import find_spec
from alharness.spec.grid import make_plans, select
from alharness.text.terminal import safe
from alharness.text.words import command_line

from . import INTERRUPTED, STOPPED
from .closing import close_shard, import_what_is_needed, show_attempt
from .grid import close_all
from .options import (
    chosen_executor,
    executor_option,
    executor_params_option,
    include_option,
    load_plugins,
    set_option,
    specs_argument,
    workdir_option,
)
from .page import make_console
from .queueing import batch_options, print_script, queue, read_terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alharness.api.records import Plan

TERMINATED = 143
EXCLUSIVE = (
    ("no_tracking", "require_tracking"),
    ("keep", "restart"),
    ("shard", "retime"),  # which measures alone
    ("shard", "report"),  # the results of which are elsewhere
    ("submit", "report"),  # which ends before there are any
    ("emit_sbatch", "report"),  # the same
    ("shard", "require_tracking"),  # which uses no tracker
    ("submit", "require_tracking"),  # the same
    ("submit", "emit_sbatch"),
)
"""Options that cannot be given together."""


def _read_stack(_: click.Context, __: click.Parameter, value: str) -> int | None:
    try:
        return stack_size(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _read_shard(_: click.Context, __: click.Parameter, value: str | None) -> Shard | None:
    try:
        return None if value is None else Shard.read(value)
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
@click.option(
    "--shard",
    callback=_read_shard,
    metavar="I/N",
    help="Run the I-th of N parts, as a task of an array job, and use no tracker. When all have ended, the "
    "command without it shows the results.",
)
@workdir_option()
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 1024),
    help="Groups of cells to run at a time. Default: 1, or what the executor has. Several share the cores; query "
    "times are then marked as shared.",
)
@executor_option
@executor_params_option
@batch_options
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
@click.option("--report", is_flag=True, help="Write the page of the run at the end, as `alharness report` does.")
@click.option("--no-tracking", is_flag=True, help="Use no tracker, whatever the spec says.")
@click.option("--require-tracking", is_flag=True, help="Fail if a tracker cannot keep the results.")
def run(
    paths: tuple[Path, ...],
    assignments: tuple[str, ...],
    include: tuple[Path, ...],
    *,
    executor: str | None,
    executor_params: tuple[str, ...],
    report: bool,
    no_tracking: bool,
    require_tracking: bool,
    submit: bool,
    emit_sbatch: bool,
    job: Path | None,
    **asked: Any,
) -> int:
    """Run every cell (sampler x seed) of each SPEC, a file or the name of one in specs/, that is not finished yet.

    Stop it whenever you like, with Ctrl-C or kill: the same command continues after the last finished cycle of
    each cell. If you add a sampler or a seed to the spec, only its cells are run. The settings of a spec with a
    matrix, and several specs, run one after the other; a report over all of them follows. For example:

    \b
        alharness run specs/openclipart.yaml
        alharness run specs/openclipart.yaml --only grace --set seeds=10
        alharness run specs/openclipart.yaml --jobs 2
        alharness run my_comparison.yaml --include my_sampler.py
        alharness run specs/openclipart.yaml --retime
        alharness run specs/openclipart.yaml --shard 1/4
        alharness run specs/openclipart.yaml --executor slurm -x partition=gpu -x time=4:00:00
        alharness run specs/first_grid.yaml
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    stops = _stops()
    _require_compatible(
        **asked,
        report=report,
        no_tracking=no_tracking or job,
        require_tracking=require_tracking,
        submit=submit,
        emit_sbatch=emit_sbatch,
    )
    terms = read_terms(job)
    shard: Shard | None = asked["shard"]
    installed = load_plugins(include)
    executor = executor or ("slurm" if emit_sbatch else None)
    asked["executor"] = chosen_executor(executor, executor_params, installed)
    found = [find_spec(path) for path in paths]
    folder = Path(terms.folder) if terms else None
    specs = [spec for path in found for spec in load_all(path, installed, assignments, folder=folder)]
    specs, asked["only"] = select(specs, asked["only"])
    plans = make_plans(specs, asked["workdir"])  # nothing runs if anything is wrong
    page = make_console()

    @cache  # settings may give the same reason
    def warn(message: str) -> None:
        page.say(f"warning: {safe(message)}", style="yellow")

    if submit:
        return queue(specs, plans, asked)
    if emit_sbatch:
        return print_script(specs, plans, asked, dict(zip(found, paths, strict=True)), assignments, include)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and not job:
        # Shells do that to what a script starts in the background.
        page.say(f"Ctrl-C is ignored here; to stop it: kill {os.getpid()}")
    if not is_batch(asked["executor"]):
        start_server()  # once the spec is known to be right: it imports torch while this process does other things
    from alharness.attempts import carry_out, make_batch
    from alharness.runs.run import Options
    from alharness.tracking.console import ConsoleProgress

    command = command_line(*sys.argv[1:])
    leisure = (lambda: None) if shard or job else import_what_is_needed
    options = Options(
        **asked, again=lambda option: f"{command} --{option}", at_leisure=leisure, stopping=lambda: bool(stops)
    )

    def show(title: str, own: Options) -> ConsoleProgress:
        doing = "measuring queries again" if own.retime else "starting"
        part = f", shard {shard}, {len(own.only)} cells" if shard else ""
        page.print(f"{title or specs[0].name}{part}: {doing}", style="bold")
        return ConsoleProgress(page, only=own.only)

    batch = make_batch(specs, plans, options, page.say, warn)
    code, tracked = 0, {"tracking": not (no_tracking or shard or job), "required": require_tracking}
    begun: list[Plan] = []
    with _terminable() as signals:
        for attempt in carry_out(specs, plans, installed, options, warn, show, batch=batch, **tracked):
            part, alone = bool(shard or job), len(specs) == 1
            code = max(code, show_attempt(page, attempt, part=part, alone=alone, report=report))
            begun.append(attempt.plan)
            if attempt.interrupted:
                what = "Stopped between cycles" if stops and not signals else "Interrupted"
                go_on = "the next job continues it" if job else f"continue with: {command}"
                page.say(f"{what}. Nothing finished is lost; {go_on}")
                return TERMINATED if signals else STOPPED if stops else INTERRUPTED
        if shard:
            close_shard(page, shard, begun)
        elif len(specs) > 1:
            close_all(page, paths, plans)
    return code


def _require_compatible(**asked: Any) -> None:
    for one, other in EXCLUSIVE:
        if asked[one] and asked[other]:
            names = (f"--{name.replace('_', '-')}" for name in (one, other))
            raise click.UsageError(f"{' and '.join(names)} exclude each other")


def _stops() -> list[int]:
    """From now on SIGUSR1 asks the run to stop between cycles: batch systems send it before time is up."""
    met: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, _: met.append(number))
    return met


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
