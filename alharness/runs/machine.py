"""The machine in words, as journals name it. Light: a command that computes nothing can ask."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path


def processor() -> str:
    """The model if the kernel reports it, and at least the architecture."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()} ({platform.machine()})"
    return platform.processor() or platform.machine()


def machine(accelerator: str = "") -> str:
    """What times depend on: processor, cores, and the accelerator, if one is used."""
    return ", ".join(filter(None, [processor(), f"{os.cpu_count()} cores", accelerator]))
