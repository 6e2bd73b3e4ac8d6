"""What the figures were measured on and with; nothing that names a host or a place."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psutil

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Variables of the environment that numerical libraries read when they are loaded."""
DISTRIBUTIONS = ("alharness", "torch", "numpy", "scipy", "scikit-learn", "bmdal-reg", "scikit-activeml", "skorch")


def describe() -> list[str]:
    """One line each."""
    versions = (f"{name} {version}" for name in DISTRIBUTIONS if (version := _version(name)))
    return [
        f"Measured on {datetime.now(UTC):%Y-%m-%d}, on one thread unless a row says otherwise",
        f"{_processor()}, {cores()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB of memory",
        f"{_system()}, Python {platform.python_version()}, {', '.join(versions)}",
    ]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    names = {key.strip(): value.strip() for key, value in found.items()}
    return f"{names.get('model name', platform.processor())} ({platform.machine()})"


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"
