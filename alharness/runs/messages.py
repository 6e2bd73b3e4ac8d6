"""What processes of a run send each other, in addition to the messages of `alharness.api.executor`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from alharness.api.params import Params
    from alharness.api.records import Plan, Schedule
    from alharness.engine.pool import Pool
    from alharness.registry import Extras
    from alharness.spec.settings import TrainingSettings

    from .sharing import Shared


@dataclass(frozen=True, kw_only=True)
class Continue:
    """Answers a worker that waits: its message was handled."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Blueprint:
    """What all cells of a run are computed with, apart from the data set.

    Attributes:
        extras: plugins that are not installed. They come first: what follows may be of their classes.
        model: the model's name.
        model_params: its parameters.
        sampler_params: label of a sampler -> its parameters.
        training: how models are trained.
        schedule: labels per cycle.
        stack: most models that are trained together; None for as many as the memory holds.
        initial: name of the sampler that chooses the initial pool, and its parameters; None if that is drawn.
    """

    extras: Extras
    model: str
    model_params: Params
    sampler_params: Mapping[str, Params]
    training: TrainingSettings
    schedule: Schedule
    stack: int | None = None
    initial: tuple[str, Params] | None = None

    def without_dataset(self) -> Blueprint:
        """The same for processes that get the data set itself: arrays that were given are large."""
        return replace(self, extras=self.extras.without("dataset"))


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A data set to make.

    Attributes:
        blueprint: what is run on it. It comes first, with its extras: what follows may be of their classes.
        plan: what is run, with what the data set has announced.
        dataset: its name.
        params: its parameters.
        who: the data set and its distribution, for messages.
        seeds: those whose split and initial pool are asked for.
        recipe: what determines a model of cycle 0 in addition to data, samples, seed, device and versions.
        samples: an empty folder for arrays that workers will map; None if nothing is going to run.
        spec_folder: the folder of the spec.
        device: type of device that workers compute on; empty for the one that they take on this machine.
    """

    blueprint: Blueprint
    plan: Plan
    dataset: str
    params: Params
    who: str
    seeds: tuple[int, ...]
    recipe: Mapping[str, Any]
    samples: Path | None
    spec_folder: Path
    device: str = ""


@dataclass(frozen=True, kw_only=True)
class SeedFacts:
    """What a run must know of a seed.

    Attributes:
        context: what the numbers of its cells depend on: data, split, initial pool, device, versions.
        initial: the pool at cycle 0.
        fits: whether all labels are known -> the name of the stored model of cycle 0.
        chosen: ids of the initial pool, if a sampler chose it: workers need not choose again.
    """

    context: Mapping[str, Any]
    initial: Pool
    fits: Mapping[bool, str]
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A data set that was made, and what a run must know of it.

    Attributes:
        plan: with what was not known before.
        dataset: for workers; None if nothing is going to run.
        data: digest of the data as the model wants it.
        seeds: those that were asked for.
    """

    plan: Plan
    dataset: Shared | None = field(repr=False)
    data: str
    seeds: Mapping[int, SeedFacts]
