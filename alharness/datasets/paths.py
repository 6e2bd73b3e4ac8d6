"""Paths as a message shows them."""

from __future__ import annotations

from pathlib import Path


def readable(path: Path) -> Path:
    """The same place, as short as one would type it: `data/mine`, not `/home/me/project/specs/../data/mine`."""
    try:
        whole, here = path.resolve(), Path.cwd()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a name that no file can have
        return path
    return whole.relative_to(here) if whole.is_relative_to(here) else whole
