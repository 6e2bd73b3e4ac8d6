"""What a suite measures with: kernels and references in turn, memory apart, and rows for the table."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import log2
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import torch

from .kernels import Kernel, Lap, Unavailable, lap, middle
from .memory import peak_memory
from .profiling import shares
from .rows import KERNELS, Bound, Cost, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .kernels import Call, P, S

T = TypeVar("T")
SHORT, LONG = 3.0, 30.0
"""Seconds: calls shorter than SHORT are measured five times, those longer than LONG once, others three times."""


class Outcome(NamedTuple):
    """Two sides of a comparison, and what their last calls gave.

    Attributes:
        ours: our cost.
        theirs: that of the reference; None if it is not available.
        our_result: what our call gave.
        their_result: what the reference gave.
        missing: why it cannot be had.
        reference: its name.
        limit: profiles a call of ours, to find what its time is spent on.
    """

    ours: Cost
    theirs: Cost | None
    our_result: object
    their_result: object
    missing: str
    reference: str
    limit: Callable[[], str]

    def row(self, work: str, bounds: tuple[Bound, ...], notes: tuple[str, ...] = (), group: str = KERNELS) -> Row:
        """The line of the table for this work."""
        return Row(
            work=work,
            reference=self.reference,
            ours=self.ours,
            theirs=self.theirs,
            missing=self.missing,
            limit=self.limit(),
            bounds=bounds,
            notes=notes,
            group=group,
        )


class Bench:
    """The fixture `bench` of a suite.

    Args:
        benchmark: pytest-benchmark's fixture, which runs our rounds and keeps the figures.
        tiny: whether problems are shrunk so far that a suite takes seconds: to try it out, not to measure.
        peers: whether other people's programs take part.
    """

    def __init__(self, benchmark: Any, *, tiny: bool, peers: bool) -> None:
        self._benchmark, self.tiny, self._peers = benchmark, tiny, peers

    def at(self, problem: P) -> P:
        """The problem, or the tiny one in its place."""
        return problem.tiny if self.tiny else problem

    def compare(self, ours: Kernel[P], reference: Kernel[P], problem: P) -> Outcome:
        """Time both, one round of each after the other, and measure the memory of each."""
        missing, reference_call = "", None
        limit = partial(self.limit, ours, problem)
        try:
            reference_call = self._reference(reference, problem)
        except Unavailable as error:
            missing = str(error)
        if reference_call is None:
            laps, result = self._rounds(_warm(ours, problem))
            return Outcome(self._cost(laps, ours, problem), None, result, None, missing, reference.name, limit)

        theirs = _Side(reference_call)
        laps, result = self._rounds(_warm(ours, problem), theirs.turn)
        costs = self._cost(laps, ours, problem), self._cost(theirs.laps, reference, problem)
        return Outcome(*costs, result, theirs.result, "", reference.name, limit)

    def measure(self, ours: Kernel[P], problem: P) -> Cost:
        """Time one alone, and measure its memory."""
        laps, _ = self._rounds(_warm(ours, problem))
        return self._cost(laps, ours, problem)

    def once(self, call: Callable[[], T]) -> T:
        """The result of a call that measures itself."""
        result: T = self._benchmark.pedantic(call, rounds=1)
        return result

    def growth_of_memory(self, ours: Kernel[S], problem: S) -> float | None:
        """The b of memory ~ N^b from the problem to one of twice its size; None if it cannot be measured."""
        small, large = (self._memory(ours, problem.of_size(N)) for N in (problem.N, 2 * problem.N))
        if small is None or large is None:
            return None
        return log2(max(large, 0.1) / max(small, 0.1))  # below 0.1 MB there is nothing to see

    def on_two_threads(self, ours: Kernel[P], reference: Kernel[P], problem: P) -> str:
        """A sentence with the times by the clock, each the median of three rounds in turn."""
        calls = [kernel.prepare(problem) for kernel in (ours, reference)]
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        try:
            laps = [[lap(call)[0] for call in calls] for _ in range(4)][1:]
        finally:
            torch.set_num_threads(before)
        mine, other = (middle(side).wall for side in zip(*laps, strict=True))
        return (
            f"{ours.name} on two threads takes {mine:.3g} s by the clock, {reference.name} {other:.3g} s: "
            f"{mine / other:.3g}×."
        )

    def limit(self, ours: Kernel[P], problem: P) -> str:
        """What the time of a call is spent on."""
        return shares(_warm(ours, problem))

    def record(self, row: Row) -> None:
        """Put a row into the table."""
        self._benchmark.extra_info["row"] = row.to_json()

    def _cost(self, laps: Sequence[Lap], kernel: Kernel[P], problem: P) -> Cost:
        return replace(_total(laps), memory=self._memory(kernel, problem))

    def _memory(self, kernel: Kernel[P], problem: P) -> float | None:
        # A fresh process takes seconds to import torch, and in a tiny problem there is nothing to see.
        return None if self.tiny else peak_memory(kernel, problem)

    def _reference(self, reference: Kernel[P], problem: P) -> Call:
        if reference.foreign and not self._peers:
            raise Unavailable("peers were left out")
        return _warm(reference, problem)

    def _rounds(self, call: Call, turn: Call = lambda: None) -> tuple[list[Lap], object]:
        """The laps, as many as a first one asks for by its length, and the last result; `turn` precedes each."""
        laps: list[Lap] = []

        def one() -> object:
            seconds, result = lap(call)
            laps.append(seconds)
            return result

        rounds = wanted(lap(call)[0])
        result = self._benchmark.pedantic(one, setup=turn, rounds=rounds)
        return laps, result


class _Side:
    """A reference, in turn with us; if one of its calls takes long, a single one counts."""

    def __init__(self, call: Call) -> None:
        self.call = call
        first, self.result = lap(call)
        self.once = wanted(first) == 1
        self.laps = [first] if self.once else []

    def turn(self) -> None:
        if not self.once:
            seconds, self.result = lap(self.call)
            self.laps.append(seconds)


def timed(kernel: Kernel[P], problem: P) -> Cost:
    """Time one alone, without its memory."""
    call = _warm(kernel, problem)
    first, _ = lap(call)
    return _total([lap(call)[0] for _ in range(wanted(first))])


def wanted(first: Lap) -> int:
    """Rounds for something that took so long at first."""
    return 5 if first.wall < SHORT else 3 if first.wall < LONG else 1


def _warm(kernel: Kernel[P], problem: P) -> Call:
    """The call, after a tiny one has loaded what there is to load."""
    kernel.prepare(problem.tiny)()
    return kernel.prepare(problem)


def _total(laps: Sequence[Lap]) -> Cost:
    seconds = middle(laps)
    return Cost(cpu=seconds.cpu, wall=seconds.wall, rounds=len(laps))
