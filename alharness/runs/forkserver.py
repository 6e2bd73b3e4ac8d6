"""The process that all others are forked from. Light: it can be started before anything else is imported."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing import forkserver
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext


def start() -> ForkServerContext:
    """Have it running: it imports torch once, for all processes, while something else goes on here."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["alharness.runs.worker", "alharness.runs.loader"])
    # It would look for modules in the current folder first, where another `alharness` may lie.
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before
    return context
