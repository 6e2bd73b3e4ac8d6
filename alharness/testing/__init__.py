"""The conformance kits: what plugins promise, as tests to inherit, and pools to write your own with.

pytest collects them (`pip install "alharness[test]"`); `examine` and `alharness check --plugin` do without it.
"""

import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

if "pytest" in sys.modules:  # it explains what was asserted, if it knows these before they are imported
    sys.modules["pytest"].register_assert_rewrite(
        *(f"{__name__}.{name}" for name in ("batch", "dataset", "executor", "kit", "model", "sampler", "tracker"))
    )

if TYPE_CHECKING:
    from .batch import BatchConformance
    from .dataset import DatasetConformance
    from .executor import ExecutorConformance
    from .kit import Conformance, Verdict, examine
    from .model import ModelConformance
    from .network import ExactNetwork
    from .queries import TensorQuery, make_query
    from .sampler import SamplerConformance
    from .scenarios import Scenario
    from .tracker import TrackerConformance
    from .views import TensorView

__all__ = [
    "BatchConformance",
    "Conformance",
    "DatasetConformance",
    "ExactNetwork",
    "ExecutorConformance",
    "ModelConformance",
    "SamplerConformance",
    "Scenario",
    "TensorQuery",
    "TensorView",
    "TrackerConformance",
    "Verdict",
    "examine",
    "make_query",
]

_HOMES = {
    "BatchConformance": "batch",
    "Conformance": "kit",
    "DatasetConformance": "dataset",
    "ExactNetwork": "network",
    "ExecutorConformance": "executor",
    "ModelConformance": "model",
    "SamplerConformance": "sampler",
    "TensorQuery": "queries",
    "TensorView": "views",
    "TrackerConformance": "tracker",
    "Scenario": "scenarios",
    "Verdict": "kit",
    "examine": "kit",
    "make_query": "queries",
}
"""Name -> its module. Workers that executors are tested with import this package, and need no torch."""


KITS = {
    "sampler": "SamplerConformance",
    "model": "ModelConformance",
    "dataset": "DatasetConformance",
    "tracker": "TrackerConformance",
    "executor": "ExecutorConformance",
}
"""Kind of plugins -> its kit. An executor that is a batch system has `BatchConformance`."""

_RENAMED = {"World": "Scenario"}
"""Old name -> name."""


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        new = _RENAMED[name]
        warnings.warn(f"{__name__}.{name} is now {new}", DeprecationWarning, stacklevel=2)
        return __getattr__(new)
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(name)


def __dir__() -> list[str]:
    return __all__
