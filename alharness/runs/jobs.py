"""Jobs of a batch system: which cells each gets, and which were submitted, as `jobs/` in a run directory says."""

from __future__ import annotations

import heapq
import json
import socket
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from alharness.errors import PluginError, RunError
from alharness.text.words import grouped

from .directory import JOBS
from .files import write
from .parcel import differences, versions
from .shards import counts, cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from alharness.api.records import Cell, Plan
    from alharness.spec import Spec

TERMS = ".terms"
"""Ends the name of the file that says under which terms a job runs, which is next to its spec."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is to be run of a spec.

    Attributes:
        spec: the spec.
        plan: its plan, as far as it is known.
        cells: those that this command may run.
    """

    spec: Spec
    plan: Plan
    cells: Sequence[Cell]

    def folder(self, cell: Cell) -> Path:
        """What a cell is known by: settings have cells of the same name."""
        return self.plan.folder / cell.folder


@dataclass(frozen=True, kw_only=True)
class Submission:
    """Jobs that were submitted together.

    Attributes:
        system: name of the batch system.
        at: when, milliseconds since the epoch.
        logs: folder of what they print.
        cells: id of a job -> the folders of its cells in this run directory.
    """

    system: str
    at: int
    logs: str
    cells: Mapping[str, tuple[str, ...]]


class Submissions:
    """What was submitted for the cells of a run: a file for each time.

    Args:
        folder: the run directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / JOBS

    def add(self, submission: Submission) -> None:
        """Note one. Raises OSError if it cannot be written."""
        self.folder.mkdir(exist_ok=True)
        first = next(iter(submission.cells))
        write(self.folder / f"{first}.json", json.dumps(asdict(submission), indent=1) + "\n")

    def read(self) -> list[Submission]:
        """Those that are noted, the oldest first. A file that is not ours is passed over."""
        from pydantic import TypeAdapter, ValidationError

        found = []
        for path in self.folder.glob("*.json"):
            with suppress(OSError, ValidationError):
                found.append(TypeAdapter(Submission).validate_json(path.read_bytes()))
        return sorted(found, key=lambda submission: submission.at)

    def keep(self, name: str, text: str, terms: Terms) -> Path:
        """Write the spec as it is now, and the terms next to it: a job reads them when it begins, days later say.

        Returns:
            The file of the spec.
        """
        self.folder.mkdir(exist_ok=True)
        path = self.folder / f"{name}.yaml"
        write(path.with_suffix(TERMS), json.dumps(asdict(terms), indent=1) + "\n")
        write(path, text)
        return path


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a job must know that its spec does not say.

    Attributes:
        folder: where relative paths of the spec start.
        versions: of Python, and of what is installed on the machine that submits the job: distribution -> version.
    """

    folder: str
    versions: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Those of a job. Raises RunError if they cannot be read."""
        from pydantic import TypeAdapter, ValidationError

        try:
            return TypeAdapter(cls).validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise RunError(f"{path}: cannot be read, and says what this job needs: {error}") from error

    def require(self) -> None:
        """Raise PluginError if something else is installed here: cells would not be those that are asked for."""
        if different := differences(self.versions, versions(self.versions)):
            raise PluginError(
                f"{socket.gethostname()} has {', '.join(different)}; the same versions are needed on every node, "
                "and where jobs are submitted"
            )


def pack(settings: Sequence[Setting], jobs: int | None, most: int) -> list[list[tuple[int, list[Cell]]]]:
    """Share cells out to jobs that take about equally long: cells of a seed together, which share a model.

    Args:
        settings: the cells that are to be run.
        jobs: so many jobs are of use; None for as many as there are seeds. The cells of a seed are parted for it.
        most: so many there may be.

    Returns:
        For each job numbers of settings, and cells of them; none of them twice.
    """
    seeds = [
        (number, own)
        for number, setting in enumerate(settings)
        for own in grouped((cell.seed, cell) for cell in setting.cells).values()
    ]
    work = [[_left(settings[number].plan, cell) for cell in own] for number, own in seeds]
    wanted = min(most, max(jobs or 0, len(seeds)), sum(map(len, work)))
    if wanted < len(seeds):
        found = [[seeds[index] for index in indices] for indices in _bundled([*map(sum, work)], wanted)]
        return [[*_joined(parts)] for parts in found]
    return [
        [(number, own[start:end])]
        for (number, own), costs, count in zip(seeds, work, counts(work, wanted), strict=True)
        for start, end in cut(costs, count)
    ]


def _left(plan: Plan, cell: Cell) -> float:
    """Labels that a cell has still to train on: what is known before anything is measured."""
    return float(max(1, sum(plan.labeled(cell)[plan.finished.get(cell.name, 0) :])))


def _bundled(work: Sequence[float], number: int) -> list[list[int]]:
    """The longest first, each to the job that has least to do; their numbers in order."""
    busy = [(0.0, job) for job in range(number)]
    found: list[list[int]] = [[] for _ in busy]
    for index in sorted(range(len(work)), key=lambda index: -work[index]):
        done, job = busy[0]
        heapq.heapreplace(busy, (done + work[index], job))
        found[job].append(index)
    return sorted(map(sorted, found))


def _joined(parts: Sequence[tuple[int, list[Cell]]]) -> Iterator[tuple[int, list[Cell]]]:
    """The parts of each setting as one."""
    for number, cells in grouped(parts).items():
        yield number, [cell for own in cells for cell in own]
