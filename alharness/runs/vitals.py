"""What the system says of a process: what it does, and how much memory it holds."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

STATES = {
    psutil.STATUS_STOPPED: "its process is stopped by a signal",
    psutil.STATUS_RUNNING: "its process computes",
    psutil.STATUS_DISK_SLEEP: "its process waits for a disk",
}


def state(pid: int) -> str:
    """What it does, in words."""
    with suppress(psutil.Error):
        return STATES.get(psutil.Process(pid).status(), "its process waits")
    return "its process is gone"


def own_memory(pid: int) -> int:
    """Bytes of memory that a process holds, without what it maps from files; 0 if it is gone.

    Linux reports both; elsewhere it is the resident memory.
    """
    with suppress(OSError, ValueError):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
        held = [int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:"))]
        if held:
            return sum(held) * 1024
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def kills_for_memory() -> int:
    """How often the kernel has ended a process because memory ran out; 0 if it does not say."""
    with suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text(encoding="utf-8").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
