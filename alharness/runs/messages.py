"""What processes of a run send each other, in addition to the messages of `alharness.api.executor`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from alharness.api.executor import Finding, Group, Message
    from alharness.api.params import Params
    from alharness.api.records import Cell, Plan, Schedule
    from alharness.engine.pool import Pool
    from alharness.registry import Extras
    from alharness.spec.settings import TrainingSettings

    from .driver import Driver


@dataclass(frozen=True, kw_only=True)
class Continue:
    """Answers a worker that waits: its message was handled."""


class Groups(Protocol):
    """The groups of a run, and where what is found goes: the coordinator, as workers' pools see it."""

    @property
    def left(self) -> bool:
        """Whether there are groups that were not taken yet."""

    def take(self, seeds: Collection[int] = ()) -> Group | None:
        """The next group; None if none can begin now: those that are left wait for a model of cycle 0.

        Args:
            seeds: those whose data the worker has at hand.
        """

    def receive(self, message: Finding) -> bool:
        """Handle a message: write to journals, call observers.

        False if the cell's journal cannot be written: the cell has ended, and no more of it is wanted.
        """

    def put_back(self, cells: Sequence[Cell]) -> None:
        """Cells of a group whose worker was lost, which are not to blame: they are a group of their own now."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """Computes groups, in whatever process it was sent to; see `alharness.api.executor.Executor`.

    Attributes:
        extras: plugins that are not installed. They come first: what follows may be of their classes.
        model: the model's name.
        model_params: its parameters.
        sampler_params: label of a sampler -> its parameters.
        training: how models are trained.
        schedule: labels per cycle.
        stack: most models that are trained together; None for as many as the memory holds.
        dataset: the data set as the model wants it, pickled: what a plugin has made is not unpickled in the
            coordinating process. Empty before it was loaded.
    """

    extras: Extras
    model: str
    model_params: Params
    sampler_params: Mapping[str, Params]
    training: TrainingSettings
    schedule: Schedule
    stack: int | None = None
    dataset: bytes = field(default=b"", repr=False)

    def __call__(self, group: Group, at: Callable[[Cell | None], None] = lambda _: None) -> Iterator[Message]:
        """Compute a group; see `alharness.runs.driver.Driver.drive`."""
        return self._driver.drive(group, at)

    def with_data(self, dataset: bytes) -> Work:
        """The same with the data set in the place of its plugin."""
        return replace(self, dataset=dataset, extras=self.extras.without("dataset"))

    def load_plugins(self) -> None:
        """Load the plugins now, and not when it is first called."""
        self._driver  # noqa: B018 - made once

    @cached_property
    def _driver(self) -> Driver:
        from alharness import registry

        from .driver import Driver

        return Driver(self, registry.load(extras=self.extras))


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A data set to make.

    Attributes:
        work: what will be done with it. It comes first, with its extras: what follows may be of their classes.
        plan: what is run, with what the data set has announced.
        dataset: its name.
        params: its parameters.
        who: the data set and its distribution, for messages.
        seeds: those whose split and initial pool are asked for.
        recipe: what determines a model of cycle 0 in addition to data, samples, seed, device and versions.
        samples: an empty folder for arrays that workers will map; None if nothing is going to run.
        spec_folder: the folder of the spec.
    """

    work: Work
    plan: Plan
    dataset: str
    params: Params
    who: str
    seeds: tuple[int, ...]
    recipe: Mapping[str, Any]
    samples: Path | None
    spec_folder: Path


@dataclass(frozen=True, kw_only=True)
class SeedFacts:
    """What a run must know of a seed.

    Attributes:
        context: what the numbers of its cells depend on: data, split, initial pool, device, versions.
        initial: the pool at cycle 0.
        fits: whether all labels are known -> the name of the stored model of cycle 0.
    """

    context: Mapping[str, Any]
    initial: Pool
    fits: Mapping[bool, str]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A data set that was made, and what a run must know of it.

    Attributes:
        plan: with what was not known before.
        dataset: see `Work.dataset`. Empty if nothing is going to run.
        data: digest of the data as the model wants it.
        seeds: those that were asked for.
    """

    plan: Plan
    dataset: bytes = field(repr=False)
    data: str
    seeds: Mapping[int, SeedFacts]
