"""Old names of public modules: plugins written for them still import, with a warning that says what to write.

One finder instead of a file for each name: such files would be at the top of the package, among those in use.
"""

from __future__ import annotations

import sys
import warnings
from functools import partial
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

MOVED = {
    "alharness.cells": ("api.records",),
    "alharness.geometry": ("kernels",),
    "alharness.hookspecs": ("api.hooks",),
    "alharness.model": ("api.network",),
    "alharness.optimizers": ("kernels.optimizers",),
    "alharness.plugin": ("api.params", "api.sampler", "api.model", "api.dataset"),
    "alharness.posterior": ("kernels.posterior",),
    "alharness.query": ("api.sampler",),
    "alharness.records": ("api.records",),
    "alharness.testing.imports": ("testing.laws",),
    "alharness.testing.permutation": ("testing.observation",),
    "alharness.testing.randomness": ("testing.laws",),
    "alharness.testing.worlds": ("testing.scenarios",),
}
"""Old name -> the modules, below alharness, that hold its content now."""


GONE = {
    "Scoring": "write Dataset(metrics=alharness.Metrics(...)); without any, it has those of its task",
}
"""Name that `alharness` offered -> what to write."""


def refuse(module: str, name: str) -> NoReturn:
    """Raise for a name that a module does not have: ImportError with what to write, if it was there once."""
    if name in GONE:
        raise ImportError(f"{module}.{name} is gone: {GONE[name]}")
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


class _Finder(MetaPathFinder, Loader):
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        new = [f"alharness.{name}" for name in MOVED[module.__name__]]
        # What else a plugin needs is offered by alharness itself.
        public = (
            new[0]
            if new[0].startswith(("alharness.kernels", "alharness.api.records", "alharness.testing"))
            else "alharness"
        )
        warnings.warn(
            f"{module.__name__} is now {' and '.join(new)}; write `from {public} import ...`",
            DeprecationWarning,
            stacklevel=2,
        )
        for name in new:
            found = vars(import_module(name))
            vars(module).update({key: value for key, value in found.items() if not key.startswith("_")})
            vars(module).update({old: found[key] for old, key in found.get("_RENAMED", {}).items()})
        vars(module)["__getattr__"] = partial(refuse, module.__name__)


def install() -> None:
    """Have Python find the old names, once all other ways of finding them have failed."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
