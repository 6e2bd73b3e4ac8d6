"""Whole runs of a spec, by the command line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple, Self

from . import commands, journals
from .rows import Cost

if TYPE_CHECKING:
    from pathlib import Path

    from .journals import Journals

SMALL = (
    *("seeds=2", "samplers=[random]", "reference.full_data=false"),
    *("training.epochs=1", "active_learning.cycles=1"),
)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A spec, and what is changed in it.

    Attributes:
        spec: its path, from the repository's root.
        settings: `KEY=VALUE`, as for `--set`.
    """

    spec: str
    settings: tuple[str, ...] = ()

    @property
    def tiny(self) -> Self:
        """Two small cells, on data that need not be made first."""
        return replace(self, spec="specs/digits_quick.yaml", settings=SMALL)

    @property
    def rehearsal(self) -> Self:
        """Two small cells on the same data, which are made and cached on the way."""
        return replace(self, settings=SMALL)


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


def run(experiment: Experiment, jobs: int, workdir: Path) -> Result:
    """Run all cells into an empty folder, `jobs` at a time. Raises RuntimeError if one fails."""
    changes = (word for setting in experiment.settings for word in ("--set", setting))
    options = ("--no-tracking", "--jobs", str(jobs), "--workdir", str(workdir))
    ended = commands.start("-m", "alharness", "run", experiment.spec, *options, *changes)
    found = journals.read(workdir)
    return Result(
        cost=Cost(cpu=ended.lap.cpu, wall=ended.lap.wall, rounds=1, memory=ended.memory),
        lead=(journals.began(found) - ended.started) / 1000,
        journals=found,
    )


def average(one: Cost, other: Cost) -> Cost:
    """Of two runs of the same."""
    memory = [cost.memory for cost in (one, other) if cost.memory is not None]
    return Cost(
        cpu=(one.cpu + other.cpu) / 2,
        wall=(one.wall + other.wall) / 2,
        rounds=one.rounds + other.rounds,
        memory=fmean(memory) if memory else None,
    )
