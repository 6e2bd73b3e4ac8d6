"""What a result depends on, other than the spec: versions and machine. An allow-list: no user variables."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

import torch

from .machine import machine as in_words
from .machine import processor

if TYPE_CHECKING:
    from pathlib import Path


def versions() -> dict[str, str]:
    """Versions that can change a result in its last bits; a cell is only continued under the same ones."""
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "torch": str(torch.__version__),  # plain: its own class could only be unpickled with torch
        "numpy": version("numpy"),
    }


def describe(device: torch.device, folder: Path) -> dict[str, str]:
    """Versions, machine, device, and the git commit of the spec's folder, if there is one.

    Args:
        device: of models, perhaps on other machines.
        folder: the folder of the spec.
    """
    here = device.type == "cuda" and torch.cuda.is_available()
    accelerator = {"gpu": _accelerator(device)} if here else {}
    commit = _commit(folder)
    return {
        "alharness": version("alharness"),
        **versions(),
        "platform": platform.platform(),
        "cpu": processor(),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "device": device.type,
        **accelerator,
        **({"git_commit": commit} if commit else {}),
    }


@cache
def machine(device: torch.device) -> str:
    """What times depend on, in words: processor, cores, and the accelerator, if one is used."""
    return in_words(_accelerator(device) if device.type == "cuda" else "")


def _accelerator(device: torch.device) -> str:
    return str(torch.cuda.get_device_name(device))


def _commit(folder: Path) -> str:
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()  # noqa: S603 - no shell, and the folder is an argument
    except (OSError, subprocess.SubprocessError):
        return ""
