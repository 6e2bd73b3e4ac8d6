"""How a user calls the command, for lines that are to be copied."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def program() -> str:
    """`alharness` where that is on the path, and otherwise the way to it from the current folder."""
    if shutil.which("alharness"):
        return "alharness"
    return os.path.relpath(Path(sys.executable).with_name("alharness"))
