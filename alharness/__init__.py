"""What a plugin author imports: every name comes when it is touched, and torch with those of `model` alone."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .data import Dataset
    from .errors import (
        DataError,
        HarnessError,
        LabelLeak,
        ModelError,
        PluginError,
        RunError,
        SamplerError,
        SpecError,
    )
    from .features import FUSED, Feature, Scoring, Task
    from .hookspecs import hookimpl
    from .model import Batch, MultimodalModel
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
    from .samples import Inputs, Samples, Splits

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
    "ModelError",
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


_HOMES = {
    "data": ("Dataset",),
    "samples": ("Inputs", "Samples", "Splits"),
    "errors": (
        "DataError",
        "HarnessError",
        "LabelLeak",
        "ModelError",
        "PluginError",
        "RunError",
        "SamplerError",
        "SpecError",
    ),
    "features": ("FUSED", "Feature", "Scoring", "Task"),
    "hookspecs": ("hookimpl",),
    "model": ("Batch", "MultimodalModel"),
    "plugin": (
        "DatasetFacts",
        "DatasetPlugin",
        "ModelPlugin",
        "ModelShape",
        "Params",
        "Sampler",
        "SamplerPlugin",
        "ScoringSampler",
        "Selection",
        "Setting",
        "SpecPath",
    ),
    "query": ("Query", "View"),
}
"""Module -> what it offers. Every command imports this package, and `alharness --help` needs nothing of it."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("alharness")
    for module, offered in _HOMES.items():
        if name in offered:
            found = getattr(import_module(f".{module}", __name__), name)
            globals()[name] = found  # asked for once
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
