"""Run directories read back: what was asked for, what the journals hold, and what is known of the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.runs import pooltable, saved

from .run import RunResults

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, *, with_pool: bool = True) -> RunResults:
    """Read a run directory, and nothing else: neither its spec, nor its data, nor its plugins are needed.

    Args:
        folder: the run directory.
        with_pool: read what is known of the pool, too.

    Raises:
        RunError: it is no run directory, or cannot be read.
    """
    run, outcomes = saved.load(folder)
    known = {cell.folder for cell in run.cells}
    others = sorted(path.name for path in (folder / "cells").glob("*/") if path.name not in known)
    return RunResults(
        run=run,
        records=tuple(outcomes),
        pool=pooltable.load(folder) if with_pool else None,
        others=tuple(others),
    )
