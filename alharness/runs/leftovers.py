"""What killed processes left in a run directory: unfinished files, and locks and samples of no use any more."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from .files import TEMPORARY

if TYPE_CHECKING:
    from pathlib import Path

OLD = (".journal.jsonl-*", ".run.json-*", ".spec.yaml-*", ".holder.json-*", ".traceback.txt-*")
"""Unfinished files of earlier versions."""


def remove_leftovers(folder: Path) -> None:
    """Remove them from a run directory in which no other process works. What cannot be removed stays."""
    for name in ("samples", "fit-locks"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "holder.json").unlink(missing_ok=True)
    for place in (folder, folder / "fits", *(folder / "cells").glob("*")):
        for pattern in (f"{TEMPORARY}*", *OLD):
            for path in place.glob(pattern):
                _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
