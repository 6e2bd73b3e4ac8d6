"""What the time of a call is spent on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from torch.profiler import ProfilerActivity, profile

if TYPE_CHECKING:
    from .kernels import Call


def shares(call: Call, most: int = 3) -> str:
    """The operations of torch that take the most time, each with its share, and what is outside torch.

    For example `mm 61 %, sqrt_ 20 %, sum 9 %; outside torch 3 %`.
    """
    with profile(activities=[ProfilerActivity.CPU]) as found:
        start = time.perf_counter()
        call()
        total = time.perf_counter() - start
    seconds: dict[str, float] = {}
    for event in found.key_averages():
        seconds[event.key.removeprefix("aten::")] = event.self_cpu_time_total / 1e6
    longest = sorted(seconds, key=lambda name: -seconds[name])[:most]
    parts = ", ".join(f"{name} {_percent(seconds[name], total)}" for name in longest)
    return f"{parts}; outside torch {_percent(total - sum(seconds.values()), total)}"


def _percent(part: float, whole: float) -> str:
    return f"{max(part, 0) / whole:.0%}".replace("%", " %")
