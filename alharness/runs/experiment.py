"""What the cells of an experiment are run from: plain enough to be sent to another process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from alharness.api.params import Params
    from alharness.api.records import Schedule
    from alharness.spec.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Part:
    """A plugin by its name, with parameters.

    Attributes:
        name: its name in the registry.
        origin: the distribution it comes from, `name==version`.
        params: the parameters, typed by the plugin's own model.
        plain: the same as plain data.
    """

    name: str
    origin: str
    params: Params
    plain: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What all cells share, beside the samples.

    Attributes:
        name: name and hash of everything but samplers, seeds and tracking.
        folder: the run directory.
        model: the task model.
        samplers: label -> sampler.
        training: how models are trained.
        schedule: labels per cycle.
    """

    name: str
    folder: Path
    model: Part
    samplers: Mapping[str, Part]
    training: TrainingSettings
    schedule: Schedule
