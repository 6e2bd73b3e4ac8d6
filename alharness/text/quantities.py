"""Durations and sizes of memory as people write them: `30m`, `4GiB`."""

from __future__ import annotations

import re
from typing import Any

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES = {"B": 1} | {
    f"{letter}{middle}B": base**power
    for middle, base in (("i", 1024), ("", 1000))
    for power, letter in enumerate("KMGT", 1)
}
NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)")


def read_seconds(value: Any) -> Any:
    """Seconds of a text such as `30m`; anything but text as it is. Raises ValueError if it is no duration."""
    return _read(value, SECONDS, "write seconds, or a number with s, m, h or d: 90, 30m, 2h")


def read_bytes(value: Any) -> Any:
    """Bytes of a text such as `4GiB`; anything but text as it is. Raises ValueError if it is no size."""
    how = "write a number with its unit: 512MiB, 4GiB"
    if isinstance(value, int | float) and value < BYTES["MiB"]:
        raise ValueError(how)  # 4 was hardly meant as bytes
    found = _read(value, BYTES, how)
    return int(found) if isinstance(found, float) else found


def in_time(seconds: float) -> str:
    """`45 s`, `5 min` or `2.5 h`."""
    if seconds < 100:
        return f"{seconds:.3g} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:.3g} h"


def in_memory(size: float) -> str:
    """`512 MiB` or `4 GiB`."""
    return f"{size / 2**30:.3g} GiB" if size >= 2**30 else f"{size / 2**20:.3g} MiB"


def _read(value: Any, units: dict[str, int], how: str) -> Any:
    if not isinstance(value, str):
        return value
    found = NUMBER.fullmatch(value.strip())
    if found is None or found[2] not in units:
        raise ValueError(how)
    return float(found[1]) * units[found[2]]
