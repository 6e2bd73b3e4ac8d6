"""The process that all others are forked from. Light: it can be started before anything else is imported."""

from __future__ import annotations

import multiprocessing
import os
import sys
from contextlib import contextmanager
from multiprocessing import forkserver
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import ForkServerContext

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""Without it, the server would look for modules in the current folder first, where another `alharness` may be."""
PASSIVE = {"OMP_WAIT_POLICY": "passive"}
"""OpenMP reads it when torch is imported. Threads that wait by spinning compete for the cores with all other work:
next to one busy process on two cores a query took 50 times as long."""


def start() -> ForkServerContext:
    """Have it running: it imports torch once, for all processes, while something else goes on here."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["alharness.runs.worker", "alharness.runs.loader"])
    with _environment(PASSIVE | dict(os.environ) | SAFE_PATH):
        forkserver.ensure_running()
    return context


@contextmanager
def without_main() -> Iterator[None]:
    """Start children inside: they do not import the caller's main module.

    multiprocessing has each child import it, and so run a script once more that has no
    `if __name__ == "__main__"`. Here nothing is needed of it: cloudpickle sends its classes.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
