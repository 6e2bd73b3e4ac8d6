"""Whole runs, and how long it takes until a command does something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import journals
from benchmarks.commands import FEW, LITTLE, OF_PLUGINS, OF_SPECS, in_turn
from benchmarks.experiments import Experiment, average, run
from benchmarks.machine import cores
from benchmarks.rows import RUNS, Row, faster, within

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
    # Once more, since a machine may change its speed within minutes: before and after average to in between.
    again = one if bench.tiny else run(experiment, 1, tmp_path / "again")
    alone = average(one.cost, again.cost)
    spent = journals.shares(one.journals)
    (torch,) = in_turn(1 if bench.tiny else 3, ["-c", "import torch"])
    bench.record(
        Row(
            group=RUNS,
            by="wall",
            work=f"{experiment.spec}, {len(two.journals)} cells, --jobs 2",
            reference="--jobs 1",
            ours=two.cost,
            theirs=alone,
            limit=spent.text,
            bounds=(
                faster(two.cost, alone if cores() > 1 else None, 1.7, by="wall"),
                journals.same(two.journals, one.journals),
                journals.little_outside(spent, 3),
            ),
            notes=(
                f"{experiment.spec} takes {two.cost.wall:.3g} s by the clock with --jobs 2; {AIM} s are the aim.",
                f"With one job its first fit begins {one.lead:.3g} s and {again.lead:.3g} s after the command.",
                f"To import torch, and do nothing else, takes {torch.wall:.3g} s.",
            ),
        )
    )


@pytest.mark.parametrize(
    ("words", "libraries"), [(["--help"], FEW), (["plugins"], OF_PLUGINS), (["check", EXPERIMENT.spec], OF_SPECS)]
)
def test_start_up(bench: Bench, words: list[str], libraries: str) -> None:
    """A command that trains nothing, compared with a Python that imports the same libraries and does nothing."""
    rounds = 1 if bench.tiny else 9
    ours, floor = bench.once(lambda: in_turn(rounds, ["-m", "alharness", *words], ["-c", libraries]))
    bench.record(
        Row(
            group=RUNS,
            work=f"alharness {' '.join(words)}",
            reference="importing its libraries",
            ours=ours,
            theirs=floor,
            limit=f"importing libraries {100 * floor.cpu / ours.cpu:.0f} %",
            bounds=(within(ours, floor, LITTLE),),
        )
    )
