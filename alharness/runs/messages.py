"""What the coordinating process and its children tell each other: plain enough to be sent, and quick to import."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from alharness.api.records import Ended

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from alharness.api.dataset import DatasetFacts
    from alharness.api.records import Cell, CycleRecord

    from .experiment import Experiment, Part

OUTPUT = "output.txt"
"""What a plugin prints, in the folder of the cell; what comes before any cell, in the run directory."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A data set to make.

    Attributes:
        part: the data set and its parameters.
        facts: what it has announced.
        experiment: what is going to be done with it.
        seeds: those whose split and initial pool are asked for.
        samples: an empty folder for arrays that workers will map; None if nothing is going to run.
        spec_folder: where the spec lies.
    """

    part: Part
    facts: DatasetFacts
    experiment: Experiment
    seeds: tuple[int, ...]
    samples: Path | None
    spec_folder: Path

    @property
    def who(self) -> str:
        """The data set and its distribution, for messages."""
        return f"the data set {self.part.name!r} of {self.part.origin}"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A data set that was made, and what a run must know of it.

    Attributes:
        samples: the data set as the model wants it, pickled for workers: what a plugin has made is not unpickled
            in the coordinating process. Empty if nothing is going to run.
        digest: of the data set as it was made.
        synthetic: made-up data.
        metric, lower_is_better, headline: as those of a `Plan`.
        valid: validation samples that stop a training.
        context: what every cell depends on: data, device, versions.
        seeds: seed -> digests of its split and its initial pool.
        environment: versions and machine.
    """

    samples: bytes = field(repr=False)
    digest: str
    synthetic: bool
    metric: str
    lower_is_better: tuple[str, ...]
    headline: tuple[str, ...]
    valid: int
    context: Mapping[str, Any]
    seeds: Mapping[int, Mapping[str, Any]]
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A data set that could not be made.

    Attributes:
        kind: name of an error in `alharness.errors`.
        text: what is wrong.
    """

    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The data set that orders are about: `Loaded.samples`."""

    pickled: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Order:
    """A cell to run, or to measure again."""

    cell: Cell
    action: Literal["run", "retime"]
    restart: bool


@dataclass(frozen=True, kw_only=True)
class Begun:
    """The process has started, and is at its work now."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """The data set is made. What follows is no plugin's work."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A cycle that is on disk."""

    cycle: CycleRecord


@dataclass(frozen=True, kw_only=True)
class Continue:
    """Answers `Finished` if the worker has the machine to itself: observers are done with the cycle."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A warning for the user."""

    text: str


Message = Begun | Finished | Told | Ended
