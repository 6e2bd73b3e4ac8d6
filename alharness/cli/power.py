"""`alharness power`: how many seeds a run needs, and how long they take."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alharness.errors import HarnessError
from alharness.spec.plan import FEW_SEEDS
from alharness.text.numbers import interval, significant, time_in_words
from alharness.text.terminal import safe
from alharness.text.words import SUFFIX, command_line

from .options import load_plugins, runs_argument, statistics_option, warn, workdir_option
from .page import make_console, make_table

if TYPE_CHECKING:
    from alharness.api.plan import Plan, Statistics
    from alharness.results.planning import Need, Planning
    from alharness.results.run import RunResults

    from .console import PageConsole

LOOKS = 1.6
"""Times the seeds of one planned test: so many decide nine of ten comparisons that are looked at again and again
(`studies/statistics/sequential.py`)."""

LARGEST = 1000
"""Seeds that may run at most if they stop when they are decided."""


@click.command
@runs_argument
@click.option(
    "--margin",
    type=float,
    metavar="X",
    help="A difference of areas that does not matter. Default: a tenth of the way from Random to all labels, or a "
    "hundredth of Random's area.",
)
@click.option(
    "--jobs", "-j", type=click.IntRange(1, 1024), default=1, show_default=True, help="Expect so many at a time."
)
@statistics_option
@workdir_option()
def power(
    runs: tuple[Path, ...], margin: float | None, jobs: int, statistics: Statistics | None, workdir: Path
) -> int:
    """Say how many seeds would answer what a run leaves open, how long they take, and the command for it.

    Each sampler is compared with Random by the area under its curve. From the noise between the seeds that are
    there it follows how many seeds show a difference as large as the one so far (in four of five experiments), and
    how many decide: then the interval excludes 0, or is within the margin, whatever the difference is. For
    example:

    \b
        alharness power openclipart
        alharness power runs/openclipart-1a2b3c4d --margin 0.005 --jobs 2
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    from alharness.results.planning import plan_seeds
    from alharness.results.run import RunResults
    from alharness.runs.finding import find_runs

    page = make_console()
    folders = [folder for run in runs for folder in find_runs(run, workdir, warn)]
    for number, folder in enumerate(folders):
        results = RunResults.read(folder, with_pool=False, statistics=statistics)
        if number:
            page.print()
        if results.run.stopping:
            _show_looks(page, results, margin, jobs)
            continue
        planning = plan_seeds(results, margin)
        _show(page, results, planning)
        _advise(page, results, planning, jobs)
    return 0


def _show(page: PageConsole, results: RunResults, planning: Planning) -> None:
    n = len(planning.seeds)
    page.say(f"{results.run.name}: {n} seeds, area of {results.metric} ({results.better})", style="bold")
    page.say(
        f"A difference within ±{significant(planning.margin)} does not matter: {planning.about}; see --margin."
    )
    headings = "sampler", f"better than {planning.random} by", "so far", "seeds to show it", "seeds to decide"
    page.print(make_table(headings, (_row(need) for need in planning.needs)))
    for sentence in planning.left_out:
        page.say(sentence)


def _row(need: Need) -> tuple[str, ...]:
    from alharness.results.planning import MOST

    def number(seeds: int | None) -> str:
        return "–" if need.verdict != "open" else str(seeds or f"over {MOST:,}")

    now = need.difference
    return need.label, interval(now.value, now.half), need.verdict, number(need.show), number(need.decide)


def _advise(page: PageConsole, results: RunResults, planning: Planning, jobs: int) -> None:
    run, count = results.run, len(planning.open)
    if not count:
        page.say("Nothing is open: every difference is shown, or does not matter.")
        return
    what = "the open comparison" if count == 1 else f"all {count} open comparisons"
    if planning.decide is None:
        from alharness.results.planning import MOST

        page.say(f"To decide {what} takes more than {MOST:,} seeds; a larger --margin takes fewer.")
        return
    from alharness.runs.prediction import own, with_seeds

    known = own(run, results.records)
    words = ""
    if known:
        time = known.predict(with_seeds(run, planning.decide), jobs=jobs)
        words = f", {time_in_words(time.seconds)}{f' with --jobs {jobs}' if jobs > 1 else ''}"
    more = planning.decide - len({cell.seed for cell in run.cells})
    page.say(f"To decide {what}: {planning.decide} seeds, {more} more{words}:")
    spec = _spec_of(run)
    more_words: list[object] = ["--jobs", jobs] if jobs > 1 else []
    more_words += [] if run.folder.parent == Path("runs") else ["--workdir", run.folder.parent]
    page.say(f"    {command_line('run', spec, '--set', f'seeds={planning.decide}', *more_words)}")
    first, last = max(FEW_SEEDS, min(5, planning.decide)), ceil(planning.decide * LOOKS)
    seeds = f"seeds={{until: decided, at_least: {first}, at_most: {last}, margin: {planning.margin:g}}}"
    page.say("Or let each sampler stop as soon as it is decided:")
    page.say(f"    {command_line('run', spec, '--set', seeds, *more_words)}")


def _show_looks(page: PageConsole, results: RunResults, margin: float | None, jobs: int) -> None:
    """Of a run whose seeds stop: what is decided, and how many seeds may decide the rest."""
    from alharness.results.looks import sentences
    from alharness.results.planning import plan_seeds

    run, found = results.run, results.looks
    assert run.stopping is not None
    page.say(f"{run.name}: {found.looked} seeds, area of {results.metric} ({results.better})", style="bold")
    for line in sentences(results, found):
        page.say(f"{line}.")
    if not found.over:
        page.say("The run is not finished: run the spec again.")
        return
    if not found.open:
        page.say("Nothing is open.")
        return
    labels = {label for pair in found.open for label in pair}
    needs = plan_seeds(results, margin or run.stopping.margin).needs
    most = max((ceil((need.decide or LARGEST) * LOOKS) for need in needs if need.label in labels), default=LARGEST)
    if most >= LARGEST:
        page.say(f"To decide what is open may take more than {LARGEST:,} seeds; a larger margin takes fewer.")
        return
    more: list[object] = ["--jobs", jobs] if jobs > 1 else []
    more += [] if run.folder.parent == Path("runs") else ["--workdir", run.folder.parent]
    page.say(f"To decide what is open may take up to {most} seeds. What is decided stays so:")
    page.say(f"    {command_line('run', _spec_of(run), '--set', f'seeds.at_most={most}', *more)}")


def _spec_of(run: Plan) -> str:
    """The name of the spec that a run is of, if there is one that has this run directory; otherwise `SPEC`."""
    from alharness.spec import load_all
    from alharness.spec.finding import find_spec
    from alharness.spec.grid import make_plans

    name = run.name.removesuffix(SUFFIX) if run.stand_in else run.name
    try:
        path = find_spec(Path(name))
        plans = make_plans(load_all(path, load_plugins(())))
    except HarnessError:
        return "SPEC"
    return safe(name) if any(plan.experiment == run.experiment for plan in plans) else "SPEC"
