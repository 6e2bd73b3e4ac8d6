"""What can be measured: something that takes a problem and gives the call to time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .problems import Problem

Call = Callable[[], object]


class Unavailable(Exception):
    """A reference cannot be measured here; the message says what it needs."""


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """A piece of work under a name.

    Attributes:
        name: for the table.
        prepare: makes the inputs, imports what it takes, and gives the call; importable from a fresh process.
            Raises Unavailable where that cannot be done here.
        foreign: whether it is somebody else's program.
    """

    name: str
    prepare: Callable[[Problem], Call]
    foreign: bool = False


@dataclass(frozen=True, kw_only=True)
class Lap:
    """Seconds that one call took, of the processor and by the clock."""

    cpu: float
    wall: float


def lap(call: Call) -> tuple[Lap, object]:
    """Time one call, and keep what it gives."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return Lap(cpu=time.process_time() - cpu, wall=time.perf_counter() - wall), result


def middle(laps: Sequence[Lap]) -> Lap:
    """The median of each."""
    return Lap(cpu=median(one.cpu for one in laps), wall=median(one.wall for one in laps))
