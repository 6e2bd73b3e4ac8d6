"""What a result depends on beside the spec: versions and machine. An allow-list: no variables of the user's."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from pathlib import Path


def versions() -> dict[str, str]:
    """Versions that can change a result in its last bits; a cell is only continued under the same ones."""
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "torch": torch.__version__,
        "numpy": version("numpy"),
    }


def describe(device: torch.device, folder: Path) -> dict[str, str]:
    """Versions, machine, device, and the git commit of the folder that the spec lies in, where there is one."""
    accelerator = {"gpu": torch.cuda.get_device_name(device)} if device.type == "cuda" else {}
    commit = _commit(folder)
    return {
        "alharness": version("alharness"),
        **versions(),
        "platform": platform.platform(),
        "cpu": platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "device": device.type,
        **accelerator,
        **({"git_commit": commit} if commit else {}),
    }


def _commit(folder: Path) -> str:
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()  # noqa: S603 - no shell, and the folder is an argument
    except (OSError, subprocess.SubprocessError):
        return ""
