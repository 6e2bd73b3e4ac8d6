"""How much memory a call takes beyond its inputs, as Linux counts it for a fresh process."""

from __future__ import annotations

import ctypes
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from .bench import Kernel, P


PR_SET_THP_DISABLE = 41
"""Of Linux's prctl: no transparent huge pages in this process."""


def peak_memory(kernel: Kernel[P], problem: P) -> float | None:
    """Extra peak memory of one call in MB (10⁶ bytes); None if the system lets no process reset its peak.

    tracemalloc would not see what torch allocates, so it takes a process; it is a fresh one, so that nothing freed
    before can be used again unseen.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return None
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
        return fresh.submit(_measure, kernel, problem).result()


def _measure(kernel: Kernel[P], problem: P) -> float:
    torch.set_num_threads(1)
    _take_small_pages()
    kernel.prepare(problem.tiny)()  # libraries take their buffers, and modules are imported
    call = kernel.prepare(problem)
    # What is free must go back to the system, or the call could take it without the peak moving.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _kilobytes("VmRSS")
    call()
    return (_kilobytes("VmHWM") - before) * 1024 / 1e6


def _take_small_pages() -> None:
    """Of one of 2 MB all counts as taken, and which allocations get such a page is luck."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)


def _kilobytes(field: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(field))
