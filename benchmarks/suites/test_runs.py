"""Whole runs, and how long it takes until a command does something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import commands, journals
from benchmarks.experiments import Experiment, run
from benchmarks.machine import cores
from benchmarks.rows import RUNS, Row, faster

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.bench import Bench

EXPERIMENT = Experiment(spec="specs/simsv2_budget200.yaml")
AIM = 90
"""Seconds by the clock that a run with two jobs should take; no bound, since machines differ."""


def test_two_jobs(bench: Bench, tmp_path: Path) -> None:
    """Two processes share the cells, and find the same as one."""
    experiment = bench.at(EXPERIMENT)
    if not bench.tiny:
        run(experiment.rehearsal, 1, tmp_path / "rehearsal")
    one = run(experiment, 1, tmp_path / "one")
    two = bench.once(lambda: run(experiment, 2, tmp_path / "two"))
    spent = journals.shares(one.journals)
    bench.record(
        Row(
            group=RUNS,
            by="wall",
            work=f"{experiment.spec}, {len(two.journals)} cells, --jobs 2",
            reference="--jobs 1",
            ours=two.cost,
            theirs=one.cost,
            limit=spent.text,
            bounds=(
                faster(two.cost, one.cost if cores() > 1 else None, 1.7, by="wall"),
                journals.same(two.journals, one.journals),
                journals.little_outside(spent, 3),
            ),
            notes=(
                f"{experiment.spec} takes {two.cost.wall:.3g} s by the clock with --jobs 2; {AIM} s are the aim.",
                f"Its first fit begins {one.lead:.3g} s after the command.",
            ),
        )
    )


def test_start_up(bench: Bench) -> None:
    """Commands that train nothing, beside a Python that does nothing."""
    spec = bench.at(EXPERIMENT).spec
    rounds = 1 if bench.tiny else 5
    calls = {"--help": ("--help",), f"check {spec}": ("check", spec), "plugins": ("plugins",)}
    bare = commands.repeated(rounds, "-c", "pass")
    costs = bench.once(
        lambda: {name: commands.repeated(rounds, "-m", "alharness", *words) for name, words in calls.items()}
    )
    times = ", ".join(f"alharness {name} {cost.wall:.2g} s" for name, cost in costs.items())
    bench.record(
        Row(
            group=RUNS,
            by="wall",
            work="alharness --help",
            reference="python -c pass",
            ours=costs["--help"],
            theirs=bare,
            notes=(f"Until the end of a command, by the clock: {times}.",),
        )
    )
