"""What a plugin author imports. Importing it loads no torch; `MultimodalModel` and `Batch` do, when touched."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from .data import Dataset, Inputs, Samples, Splits
from .errors import DataError, HarnessError, LabelLeak, PluginError, RunError, SamplerError, SpecError
from .features import FUSED, Feature, Scoring, Task
from .hookspecs import hookimpl
from .plugin import (
    DatasetFacts,
    DatasetPlugin,
    ModelPlugin,
    ModelShape,
    Params,
    Sampler,
    SamplerPlugin,
    ScoringSampler,
    Selection,
    Setting,
    SpecPath,
)
from .query import Query, View

if TYPE_CHECKING:
    from .model import Batch, MultimodalModel

__version__ = version("alharness")

__all__ = [
    "FUSED",
    "Batch",
    "DataError",
    "Dataset",
    "DatasetFacts",
    "DatasetPlugin",
    "Feature",
    "HarnessError",
    "Inputs",
    "LabelLeak",
    "ModelPlugin",
    "ModelShape",
    "MultimodalModel",
    "Params",
    "PluginError",
    "Query",
    "RunError",
    "Sampler",
    "SamplerError",
    "SamplerPlugin",
    "Samples",
    "Scoring",
    "ScoringSampler",
    "Selection",
    "Setting",
    "SpecError",
    "SpecPath",
    "Splits",
    "Task",
    "View",
    "__version__",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    if name in ("Batch", "MultimodalModel"):
        from . import model

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
