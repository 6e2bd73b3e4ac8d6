"""Whether queries take longer than they did, and when that can be said."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.api.records import Outcome

FLOOR = 0.05
"""Seconds of all queries of a cell below which times are noise."""
SLOWER = 1.5
"""How many times as long queries must take to count as slower."""


@dataclass(frozen=True, kw_only=True)
class Time:
    """Seconds of all queries of a cell, of NEW as a multiple of OLD.

    Attributes:
        ratio: median over seeds; None if it was not judged.
        seeds: (seed, ratio) of each.
        slower: by more than the factor that counts in every seed, and so in the median.
        unjudged: why it was not judged; empty if it was.
    """

    ratio: float | None = None
    seeds: tuple[tuple[int, float], ...] = ()
    slower: bool = False
    unjudged: str = ""


def query_seconds(old: Outcome, new: Outcome) -> tuple[float, float] | None:
    """Seconds of all queries of two cells; None if one of them has none."""
    measured = [[c.cost["query_seconds"] for c in cell.cycles if "query_seconds" in c.cost] for cell in (old, new)]
    return (sum(measured[0]), sum(measured[1])) if measured[0] and measured[1] else None


def judge(pairs: Sequence[tuple[Outcome, Outcome]], machine: str, slower: float) -> Time:
    """Compare the queries of a sampler.

    Args:
        pairs: its complete cells, of OLD and of NEW, one pair per seed.
        machine: why the two machines cannot be compared; empty if they can.
        slower: how many times as long the queries of every cell must take to count as slower.
    """
    found = {old.cell.seed: query_seconds(old, new) for old, new in pairs}
    seconds = {seed: both for seed, both in found.items() if both}
    if not seconds:
        return Time(unjudged="no queries in common")
    if machine:
        return Time(unjudged=machine)
    machines = sorted({c.machine for cells in pairs for cell in cells for c in cell.cycles if c.machine})
    if len(machines) > 1:
        return Time(unjudged=f"measured on several machines: {'; '.join(machines)}")
    sides = zip(("OLD", "NEW"), zip(*pairs, strict=True), strict=True)
    shared = [name for name, cells in sides if any(cell.timing == "shared" for cell in cells)]
    if shared:
        return Time(unjudged=f"measured while other cells were running, in {' and '.join(shared)}; see --retime")
    if all(max(both) < FLOOR for both in seconds.values()):
        return Time(unjudged=f"all queries of a cell take less than {FLOOR} s")
    ratios = {seed: new / old if old else math.inf for seed, (old, new) in seconds.items()}
    # Against the floor at least, so that noise below it is never a factor.
    judged = [new / max(old, FLOOR) for old, new in seconds.values()]
    return Time(ratio=median(ratios.values()), seeds=tuple(ratios.items()), slower=min(judged) > slower)
