"""The conformance kit: what samplers and executors promise, as tests to inherit, and pools to write your own with.

Needs pytest: `pip install "alharness[test]"`. Nothing else in alharness imports it.
"""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

pytest.register_assert_rewrite("alharness.testing.executor", "alharness.testing.sampler")

if TYPE_CHECKING:
    from .executor import ExecutorConformance
    from .network import ExactNetwork
    from .queries import TensorQuery, make_query
    from .sampler import SamplerConformance
    from .scenarios import Scenario
    from .views import TensorView

__all__ = [
    "ExactNetwork",
    "ExecutorConformance",
    "SamplerConformance",
    "Scenario",
    "TensorQuery",
    "TensorView",
    "make_query",
]

_HOMES = {
    "ExactNetwork": "network",
    "ExecutorConformance": "executor",
    "SamplerConformance": "sampler",
    "TensorQuery": "queries",
    "TensorView": "views",
    "Scenario": "scenarios",
    "make_query": "queries",
}
"""Name -> its module. Workers that executors are tested with import this package, and need no torch."""


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
