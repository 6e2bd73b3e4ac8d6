"""What a result depends on, other than the spec: versions and machine. An allow-list: no user variables."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch


def versions() -> dict[str, str]:
    """Versions that can change a result in its last bits; a cell is only continued under the same ones."""
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "torch": str(torch.__version__),  # plain: its own class could only be unpickled with torch
        "numpy": version("numpy"),
    }


def describe(device: torch.device, folder: Path) -> dict[str, str]:
    """Versions, machine, device, and the git commit of the spec's folder, if there is one."""
    accelerator = {"gpu": _accelerator(device)} if device.type == "cuda" else {}
    commit = _commit(folder)
    return {
        "alharness": version("alharness"),
        **versions(),
        "platform": platform.platform(),
        "cpu": _processor(),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "device": device.type,
        **accelerator,
        **({"git_commit": commit} if commit else {}),
    }


@cache
def machine(device: torch.device) -> str:
    """What times depend on, in words: processor, cores, and the accelerator, if one is used."""
    parts = [_processor(), f"{os.cpu_count()} cores"]
    return ", ".join([*parts, _accelerator(device)] if device.type == "cuda" else parts)


def _accelerator(device: torch.device) -> str:
    return str(torch.cuda.get_device_name(device))


def _processor() -> str:
    """The model if the kernel reports it, and at least the architecture."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()} ({platform.machine()})"
    return platform.processor() or platform.machine()


def _commit(folder: Path) -> str:
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()  # noqa: S603 - no shell, and the folder is an argument
    except (OSError, subprocess.SubprocessError):
        return ""
