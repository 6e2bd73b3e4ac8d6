"""What can be measured: something that takes a problem and gives the call to time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

Call = Callable[[], object]


class Problem(Protocol):
    """What a kernel works on: a description from which its inputs are made, again and again the same."""

    @property
    def tiny(self) -> Self:
        """The same in so small that it takes no time, for warming up and for trying out."""


class Sized(Problem, Protocol):
    """A problem that can be made larger, to see how costs grow."""

    @property
    def N(self) -> int:  # noqa: N802 - as the papers write it
        """Its size."""

    def of_size(self, N: int) -> Self:
        """The same in another size."""


P = TypeVar("P", bound=Problem)
S = TypeVar("S", bound=Sized)


class Unavailable(Exception):
    """A reference cannot be measured here; the message says what it needs."""


@dataclass(frozen=True, kw_only=True)
class Kernel(Generic[P]):
    """A piece of work under a name.

    Attributes:
        name: for the table.
        prepare: makes the inputs, imports what it takes, and gives the call; importable from a fresh process.
            Raises Unavailable if that cannot be done here.
        foreign: whether it is another project's program.
    """

    name: str
    prepare: Callable[[P], Call]
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
