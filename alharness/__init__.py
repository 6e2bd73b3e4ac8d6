"""Compare samplers of deep active learning on multimodal data.

`run` runs a comparison and returns its `Results`; `load` reads those of earlier runs. The other names are what
samplers, models, data sets, trackers and executors are made of. Each is imported when first used; only three
import torch.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import moved

if sys.platform == "win32":  # no fork server, no flock, other signals: what the promises of a run rest on
    raise ImportError("alharness runs on Linux and macOS; on Windows, install it in WSL 2, which is a Linux")

if TYPE_CHECKING:
    from alharness.api.batch import BatchPlugin, BatchSystem, Job, JobState
    from alharness.api.dataset import Dataset, DatasetFacts, DatasetPlugin
    from alharness.api.executor import Executor, ExecutorContext, ExecutorPlugin, Worker
    from alharness.api.fitting import FittingModel
    from alharness.api.hooks import hookimpl
    from alharness.api.metrics import Metrics
    from alharness.api.model import ModelPlugin
    from alharness.api.network import Batch, MultimodalModel
    from alharness.api.params import Params, Source, SpecPath
    from alharness.api.parts import InParts, Part, Parts
    from alharness.api.plan import Cell, Paper, Plan, Schedule, Skip, Stopping
    from alharness.api.records import CycleRecord, Look, Outcome, Outcomes
    from alharness.api.sampler import Query, Sampler, SamplerPlugin, ScoringSampler, Selection, Setting, View
    from alharness.api.samples import Inputs, Samples, Splits
    from alharness.api.tracker import Tracker, TrackerContext, TrackerPlugin
    from alharness.api.vocabulary import FUSED, Feature, ModelShape, Space, Task
    from alharness.interface import load, run
    from alharness.labeling.selecting import Selected, select
    from alharness.results.results import Results
    from alharness.spec.reader import Spec

    from .errors import (
        DataError,
        HarnessError,
        HarnessWarning,
        LabelLeak,
        ModelError,
        PluginError,
        RunError,
        SamplerError,
        SpecError,
    )

__all__ = [
    "FUSED",
    "Batch",
    "BatchPlugin",
    "BatchSystem",
    "Cell",
    "CycleRecord",
    "DataError",
    "Dataset",
    "DatasetFacts",
    "DatasetPlugin",
    "Executor",
    "ExecutorContext",
    "ExecutorPlugin",
    "Feature",
    "FittingModel",
    "HarnessError",
    "HarnessWarning",
    "InParts",
    "Inputs",
    "Job",
    "JobState",
    "LabelLeak",
    "Look",
    "Metrics",
    "ModelError",
    "ModelPlugin",
    "ModelShape",
    "MultimodalModel",
    "Outcome",
    "Outcomes",
    "Paper",
    "Params",
    "Part",
    "Parts",
    "Plan",
    "PluginError",
    "Query",
    "Results",
    "RunError",
    "Sampler",
    "SamplerError",
    "SamplerPlugin",
    "Samples",
    "Schedule",
    "ScoringSampler",
    "Selected",
    "Selection",
    "Setting",
    "Skip",
    "Source",
    "Space",
    "Spec",
    "SpecError",
    "SpecPath",
    "Splits",
    "Stopping",
    "Task",
    "Tracker",
    "TrackerContext",
    "TrackerPlugin",
    "View",
    "Worker",
    "__version__",
    "hookimpl",
    "load",
    "run",
    "select",
]


_HOMES = {
    "api.batch": ("BatchPlugin", "BatchSystem", "Job", "JobState"),
    "api.dataset": ("Dataset", "DatasetFacts", "DatasetPlugin"),
    "api.executor": ("Executor", "ExecutorContext", "ExecutorPlugin", "Worker"),
    "api.fitting": ("FittingModel",),
    "api.hooks": ("hookimpl",),
    "api.metrics": ("Metrics",),
    "api.model": ("ModelPlugin",),
    "api.network": ("Batch", "MultimodalModel"),
    "api.params": ("Params", "Source", "SpecPath"),
    "api.parts": ("InParts", "Part", "Parts"),
    "api.plan": ("Cell", "Paper", "Plan", "Schedule", "Skip", "Stopping"),
    "api.records": ("CycleRecord", "Look", "Outcome", "Outcomes"),
    "api.sampler": ("Query", "Sampler", "SamplerPlugin", "ScoringSampler", "Selection", "Setting", "View"),
    "api.samples": ("Inputs", "Samples", "Splits"),
    "api.tracker": ("Tracker", "TrackerContext", "TrackerPlugin"),
    "api.vocabulary": ("FUSED", "Feature", "ModelShape", "Space", "Task"),
    "interface": ("load", "run"),
    "labeling.selecting": ("Selected", "select"),
    "results.results": ("Results",),
    "spec.reader": ("Spec",),
    "errors": (
        "DataError",
        "HarnessError",
        "HarnessWarning",
        "LabelLeak",
        "ModelError",
        "PluginError",
        "RunError",
        "SamplerError",
        "SpecError",
    ),
}
"""Module -> what it offers. Every command imports this package, and `alharness --help` needs nothing of it."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("alharness")
    for module, offered in _HOMES.items():
        if name in offered:
            found = getattr(import_module(f".{module}", __name__), name)
            globals()[name] = found  # asked for once
            return found
    return moved.refuse(__name__, name)


def __dir__() -> list[str]:
    return __all__


moved.install()
