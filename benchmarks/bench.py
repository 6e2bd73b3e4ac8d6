"""What a suite measures with: a kernel and its reference in turn, and the memory of each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log2
from statistics import median
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

import torch
from torch.profiler import ProfilerActivity, profile

from .memory import peak_memory
from .rows import KERNELS, Cost, Row, combine, per_piece

if TYPE_CHECKING:
    from pathlib import Path

    from .problems import Pool

Call = Callable[[], object]
SHORT, LONG = 3.0, 10.0
"""Seconds: calls shorter than SHORT are measured five times, those longer than LONG once, others three times."""


class Problem(Protocol):
    """What a kernel works on: a description from which its inputs are made, again and again the same."""

    @property
    def tiny(self) -> Self:
        """The same in so small that it takes no time, for warming up and for trying out."""


P = TypeVar("P", bound=Problem)


class Unavailable(Exception):
    """A reference cannot be measured here; the message says what it needs."""


@dataclass(frozen=True, kw_only=True)
class Kernel(Generic[P]):
    """A piece of work under a name.

    Attributes:
        name: for the table.
        prepare: makes the inputs, imports what it takes, and gives the call; importable from a fresh process.
            Raises Unavailable if that cannot be done here. A call may give a `Cost`: that of work which another
            process did and timed.
        foreign: whether it is another project's program.
        elsewhere: whether another process does the work, so that its memory is not ours to measure.
    """

    name: str
    prepare: Callable[[P], Call]
    foreign: bool = False
    elsewhere: bool = False

    def ready(self, problem: P) -> Call:
        """The call, after a tiny one has loaded what there is to load."""
        self.prepare(problem.tiny)()
        return self.prepare(problem)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Measures on one thread.

    Attributes:
        tiny: whether problems are shrunk so far that a suite takes seconds: to try it out, not to measure.
        peers: whether other people's programs take part.
        before: a folder with the version before stacks; None to take it from the history of this repository.
    """

    tiny: bool = False
    peers: bool = True
    before: Path | None = None

    def at(self, problem: P) -> P:
        """The problem, or the tiny one in its place."""
        return problem.tiny if self.tiny else problem

    def compare(
        self,
        ours: Kernel[P],
        reference: Kernel[P],
        problem: P,
        *,
        work: str,
        group: str = KERNELS,
        pieces: int = 1,
    ) -> tuple[Row, list[object]]:
        """A row without bounds, and what the last calls of both gave; None for one that was not made.

        What the reference does once, our call may do in several pieces: then our cost is that of one of them.
        """
        missing, sides = "", [_Side(ours.ready(problem))]
        try:
            sides = [_Side(self._ready(reference, problem)), *sides]
        except Unavailable as error:
            missing = str(error)
        while any(side.wants_more for side in sides):
            for side in sides:
                side.turn()
        *their, our = sides
        row = Row(
            work=work,
            reference=reference.name,
            ours=per_piece(replace(our.cost, memory=self.memory(ours, problem)), pieces),
            theirs=replace(their[0].cost, memory=self.memory(reference, problem)) if their else None,
            missing=missing,
            limit=shares(ours.ready(problem)),
            group=group,
        )
        return row, [our.result, their[0].result if their else None]

    def memory(self, kernel: Kernel[P], problem: P) -> float | None:
        """Extra peak memory of a call in MB; None if it cannot be measured."""
        # A fresh process takes seconds to import torch, and in a tiny problem there is nothing to see.
        return None if self.tiny or kernel.elsewhere else peak_memory(kernel, problem)

    def growth_of_memory(self, ours: Kernel[Pool], problem: Pool, small: float | None) -> float | None:
        """The b of memory ~ N^b from the problem, which takes `small` MB, to one of twice its size."""
        large = self.memory(ours, problem.of_size(2 * problem.N))
        if small is None or large is None:
            return None
        return log2(max(large, 0.1) / max(small, 0.1))  # below 0.1 MB there is nothing to see

    def _ready(self, reference: Kernel[P], problem: P) -> Call:
        if reference.foreign and not self.peers:
            raise Unavailable("peers were left out")
        return reference.ready(problem)


class _Side:
    """One side of a comparison. Its first call shows how many rounds it takes, and warms up the shortest."""

    def __init__(self, call: Call) -> None:
        self._call = call
        first, self.result = lap(call)
        self._rounds = 5 if first.wall < SHORT else 3 if first.wall < LONG else 1
        self._laps = [] if first.wall < SHORT else [first]

    @property
    def wants_more(self) -> bool:
        return len(self._laps) < self._rounds

    @property
    def cost(self) -> Cost:
        return combine(self._laps, median)

    def turn(self) -> None:
        if self.wants_more:
            seconds, self.result = lap(self._call)
            self._laps.append(seconds)


def lap(call: Call) -> tuple[Cost, object]:
    """Time one call, and keep what it gives; unless it says itself what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    if isinstance(result, Cost):
        return result, None
    return Cost(cpu=time.process_time() - cpu, wall=time.perf_counter() - wall), result


def timed(kernel: Kernel[P], problem: P) -> Cost:
    """Time one alone, without its memory."""
    side = _Side(kernel.ready(problem))
    while side.wants_more:
        side.turn()
    return side.cost


def on_two_threads(ours: Kernel[P], reference: Kernel[P], problem: P) -> str:
    """A sentence with the times by the clock, each the quicker of two rounds in turn."""
    calls = [kernel.ready(problem) for kernel in (ours, reference)]
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        rounds = [[lap(call)[0].wall for call in calls] for _ in range(2)]
    finally:
        torch.set_num_threads(before)
    mine, other = map(min, zip(*rounds, strict=True))
    return (
        f"{ours.name} on two threads takes {mine:.3g} s by the clock, {reference.name} {other:.3g} s: "
        f"{mine / other:.3g}×."
    )


def shares(call: Call, most: int = 3) -> str:
    """The operations of torch that take the most time of a call, each with its share, and what is outside torch.

    For example `mm 61 %, sqrt_ 20 %, sum 9 %; outside torch 3 %`.
    """
    with profile(activities=[ProfilerActivity.CPU]) as found:
        total = lap(call)[0].wall
    seconds = {event.key.removeprefix("aten::"): event.self_cpu_time_total / 1e6 for event in found.key_averages()}
    longest = sorted(seconds, key=lambda name: -seconds[name])[:most]
    parts = ", ".join(f"{name} {100 * seconds[name] / total:.0f} %" for name in longest)
    outside = max(total - sum(seconds.values()), 0)
    return f"{parts}; outside torch {100 * outside / total:.0f} %"
