"""Whole runs by the command line, and how long it takes until a command does something."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from alharness.runs.local import cores
from benchmarks import before, commands, grid, journals
from benchmarks.bench import Unavailable
from benchmarks.commands import FEW, LITTLE, OF_PLUGINS, OF_SPECS
from benchmarks.rows import RUNS, Cost, Row, at_most, combine, faster, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench
    from benchmarks.journals import Journals

SPEC, TINY_SPEC = "specs/simsv2_budget200.yaml", "specs/digits_quick.yaml"
SMALL = (
    *("seeds=2", "samplers=[random]", "reference.full_data=false"),
    *("training.epochs=1", "active_learning.cycles=1"),
)
"""Settings that leave two small cells of a spec."""
AIM = 90
"""Seconds by the clock that a run with two jobs should take; no bound, since machines differ."""


class Result(NamedTuple):
    """A run that ended well.

    Attributes:
        cost: what it took; its memory is that of all its processes.
        lead: seconds from the start of the command to the first cell, whose first deed is a fit.
        journals: what it wrote.
    """

    cost: Cost
    lead: float
    journals: Journals


def run(spec: str, jobs: int, workdir: Path, settings: tuple[str, ...] = ()) -> Result:
    """Run all cells into an empty folder, `jobs` at a time. Raises RuntimeError if one fails."""
    ended = commands.start(*_command(spec, jobs, workdir, settings))
    found = journals.read(workdir)
    return Result(cost=ended.cost, lead=(journals.began(found) - ended.started) / 1000, journals=found)


def _command(spec: str, jobs: int, workdir: Path, settings: tuple[str, ...]) -> list[str]:
    changes = (word for setting in settings for word in ("--set", setting))
    options = ("--no-tracking", "--jobs", str(jobs), "--workdir", str(workdir))
    return ["-m", "alharness", "run", spec, *options, *changes]


def two_jobs(bench: Bench) -> Row:
    """Two processes share the cells, and find the same as one."""
    spec, settings = (TINY_SPEC, SMALL) if bench.tiny else (SPEC, ())
    with TemporaryDirectory() as name:
        folder = Path(name)
        if not bench.tiny:
            run(spec, 1, folder / "rehearsal", SMALL)  # the data are made and cached on the way
        two = run(spec, 2, folder / "two", settings)
        one = run(spec, 1, folder / "one", settings)
        # Once more, since a machine may change its speed within minutes: before and after average to in between.
        again = two if bench.tiny else run(spec, 2, folder / "again", settings)
    (torch,) = commands.in_turn(1 if bench.tiny else 3, ["-c", "import torch"])
    spent = journals.shares(one.journals)
    ours = combine([two.cost, again.cost], fmean)
    row = Row(
        group=RUNS,
        by="wall",
        work=f"{spec}, {len(two.journals)} cells, --jobs 2",
        reference="--jobs 1",
        ours=ours,
        theirs=one.cost,
        limit=spent.text,
        notes=(
            f"{spec} takes {ours.wall:.3g} s by the clock with --jobs 2; {AIM} s are the aim.",
            f"With one job its first fit begins {one.lead:.3g} s after the command.",
            f"To import torch, and do nothing else, takes {torch.wall:.3g} s.",
        ),
    )
    bounds = (
        faster(row if cores() > 1 else replace(row, theirs=None), 1.7),
        journals.same(two.journals, one.journals),
        journals.little_outside(spent, 3),
    )
    return replace(row, bounds=bounds)


def against_before(times: float, bench: Bench) -> Row:
    """The same command of both versions, on the same data."""
    spec, settings = (TINY_SPEC, SMALL) if bench.tiny else (SPEC, ())
    rehearsed = bench.tiny
    theirs, missing = None, ""
    with TemporaryDirectory() as name:
        folder = Path(name)
        try:
            environment = before.environment(before.root(bench.before))
        except Unavailable as error:
            missing = str(error)
        if not rehearsed:
            run(spec, 2, folder / "rehearsal", SMALL)  # the data are made and cached on the way
        first = run(spec, 2, folder / "first", settings)
        if not missing:
            # Its own file, which says the same in the words of that version.
            command = _command(str(before.root(bench.before) / spec), 2, folder / "theirs", settings)
            theirs = commands.start(*command, environment=environment).cost
        again = first if bench.tiny else run(spec, 2, folder / "again", settings)
    row = Row(
        group=RUNS,
        by="wall",
        work=f"{spec}, {len(first.journals)} cells, --jobs 2",
        reference=before.NAME,
        ours=combine([first.cost, again.cost], fmean),
        theirs=theirs,
        missing=missing,
        limit=journals.shares(first.journals, 2).text,
    )
    return replace(row, bounds=(faster(row, times),))


def more_seeds(few: int, many: int, times: float, bench: Bench) -> Row:
    """How much longer it takes with more seeds."""
    spec, (few, many) = (TINY_SPEC, (1, 2)) if bench.tiny else (SPEC, (few, many))
    others = SMALL[1:] if bench.tiny else ()
    with TemporaryDirectory() as name:
        folder = Path(name)
        if not bench.tiny:
            run(spec, 2, folder / "rehearsal", SMALL)
        costs = {}
        for part, seeds in (("first", few), ("many", many), ("again", few)):
            costs[part] = run(spec, 2, folder / part, (f"seeds={seeds}", *others)).cost
    less = combine([costs["first"], costs["again"]], fmean)
    ratio = costs["many"].wall / less.wall
    return Row(
        group=RUNS,
        by="wall",
        work=f"{spec}, --jobs 2, seeds: {many}",
        reference=f"seeds: {few}",
        ours=costs["many"],
        theirs=less,
        bounds=(at_most("time", ratio, times, "×"),),
    )


def check_of_settings(bench: Bench) -> Row:
    """The check of a spec whose matrix makes a whole grid."""
    budgets, rates, seeds = (2, 1, 2) if bench.tiny else (6, 5, 20)
    matrix = (
        f"matrix={{active_learning.budget: {[*range(10, 10 + budgets)]}, "
        f"training.learning_rate: {[n / 1000 for n in range(1, 1 + rates)]}}}"
    )
    words = ["check", "specs/digits_samplers.yaml", "--set", matrix, "--set", f"seeds={seeds}"]
    cost = commands.start("-m", "alharness", *words).cost
    return Row(
        group=RUNS,
        by="wall",
        work=f"alharness check, {budgets * rates} settings x 10 samplers x {seeds} seeds",
        ours=cost,
        bounds=(at_most("time", cost.wall, 10, " s"), at_most("memory", cost.memory, 500, " MB")),
    )


def report_over_settings(bench: Bench) -> Row:
    """A report over a whole grid of finished runs, with made-up figures."""
    settings, samplers, seeds = (2, 2, 5) if bench.tiny else (30, 10, 20)
    with TemporaryDirectory() as name:
        folders = grid.write(Path(name, "runs"), settings, samplers, seeds)
        cost = commands.start(
            "-m", "alharness", "report", *map(str, folders), "--out", str(Path(name, "report"))
        ).cost
    return Row(
        group=RUNS,
        by="wall",
        work=f"alharness report, {settings} settings x {samplers} samplers x {seeds} seeds",
        ours=cost,
        bounds=(at_most("time", cost.wall, 60, " s"), at_most("memory", cost.memory, 1000, " MB")),
    )


def start_up(words: list[str], libraries: str, bench: Bench) -> Row:
    """A command that trains nothing, compared with a Python that imports the same libraries and does nothing."""
    ours, floor = commands.in_turn(1 if bench.tiny else 9, ["-m", "alharness", *words], ["-c", libraries])
    row = Row(
        group=RUNS,
        work=f"alharness {' '.join(words)}",
        reference="importing its libraries",
        ours=ours,
        theirs=floor,
        limit=f"importing libraries {100 * floor.cpu / ours.cpu:.0f} %",
    )
    return replace(row, bounds=(within(row, LITTLE),))


ROWS: dict[str, Callable[[Bench], Row]] = {
    "whole run": two_jobs,
    "whole run, before": partial(against_before, 2.3),
    "whole run, 20 seeds": partial(more_seeds, 5, 20, 3.3),
    "check of settings": check_of_settings,
    "report over settings": report_over_settings,
    "start-up, --help": partial(start_up, ["--help"], FEW),
    "start-up, plugins": partial(start_up, ["plugins"], OF_PLUGINS),
    "start-up, check": partial(start_up, ["check", SPEC], OF_SPECS),
}
