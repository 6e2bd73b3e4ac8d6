"""How a user calls the command, for lines that are to be copied."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

NAME = "alharness"


def command_line(*words: object) -> str:
    """The command with these words behind it, quoted if a shell needs it.

    It begins with `alharness` if that is the one on the path, otherwise with the way to it: from the current
    folder if it is below, and from the root if not. Without a script, it is `python -m alharness`.
    """
    return shlex.join([*_program(), *map(str, words)])


def _program() -> list[str]:
    ours = Path(sys.executable).with_name(NAME)
    if not ours.is_file():
        return [_short(Path(sys.executable), "python"), "-m", NAME]
    return [_short(ours, NAME)]


def _short(path: Path, name: str) -> str:
    """The name if a shell finds this file by it, or else its path."""
    found = shutil.which(name)
    if found and Path(found).resolve() == path.resolve():
        return name
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):  # the current folder is gone, or is on another drive
        return str(path)
    below = not relative.startswith(os.pardir)
    # A shell looks for a word without a slash on the path alone.
    return (relative if os.sep in relative else os.path.join(os.curdir, relative)) if below else str(path)  # noqa: PTH118 - pathlib drops the `./`
