"""Rows of the table, and the bounds that they must meet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KERNELS, TRAINING, DATA, LABELING, RUNS = GROUPS = (
    "Kernels", "Training", "Data sets", "Own labels", "Whole runs",
)  # fmt: skip
"""Groups of rows, each with a table of its own."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What something took.

    Attributes:
        cpu: seconds of the processor.
        wall: seconds by the clock.
        rounds: in how many rounds they were measured.
        memory: extra peak memory in MB, or for a command the peak of all its processes; None if it was not
            measured.
    """

    cpu: float
    wall: float
    rounds: int = 1
    memory: float | None = None


def combine(costs: Sequence[Cost], by: Callable[[list[float]], float]) -> Cost:
    """The cost of several rounds, `by` their median, mean or least."""
    memory = [cost.memory for cost in costs if cost.memory is not None]
    return Cost(
        cpu=round(by([cost.cpu for cost in costs]), 6),
        wall=round(by([cost.wall for cost in costs]), 6),
        rounds=sum(cost.rounds for cost in costs),
        memory=by(memory) if memory else None,
    )


def per_piece(cost: Cost, pieces: int) -> Cost:
    """The cost of one of so many pieces of work that were done together."""
    memory = None if cost.memory is None else cost.memory / pieces
    return replace(cost, cpu=round(cost.cpu / pieces, 6), wall=round(cost.wall / pieces, 6), memory=memory)


@dataclass(frozen=True, kw_only=True)
class Bound:
    """Something that must hold.

    Attributes:
        text: what must be, such as `≥ 2× faster`.
        found: what was measured, such as `3.4×`; empty if nothing was.
        met: None if nothing was measured.
    """

    text: str
    found: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """`met`, `FAIL` or `not measured`."""
        return {True: "met", False: "FAIL", None: "not measured"}[self.met]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        work: what was done, and on how much.
        reference: what it is compared with; empty for nothing.
        ours: its cost here.
        theirs: the cost of the reference.
        missing: why there is none.
        limit: what our time is spent on.
        bounds: what must hold.
        notes: sentences for below the table.
        group: the table that it belongs to, one of GROUPS.
        by: the seconds whose ratio the table shows, of the processor or by the clock.
        date: when it was measured.
        machine: on what, and with which versions.
        took: seconds that its measurement took.
    """

    work: str
    ours: Cost
    reference: str = ""
    theirs: Cost | None = None
    missing: str = ""
    limit: str = ""
    bounds: tuple[Bound, ...] = ()
    notes: tuple[str, ...] = ()
    group: str = KERNELS
    by: Literal["cpu", "wall"] = "cpu"
    date: str = ""
    machine: str = ""
    took: float = 0.0

    @property
    def ratio(self) -> float | None:
        """The seconds of the reference over ours; None if it was not measured."""
        return None if self.theirs is None else getattr(self.theirs, self.by) / getattr(self.ours, self.by)

    @property
    def missed(self) -> tuple[Bound, ...]:
        """The bounds that do not hold."""
        return tuple(bound for bound in self.bounds if bound.met is False)


def faster(row: Row, times: float) -> Bound:
    """Ours takes at most 1/times of the seconds of the reference."""
    ratio = row.ratio
    return _bound(f"≥ {times:g}× faster", ratio, "×", met=ratio is not None and ratio >= times)


def within(row: Row, times: float) -> Bound:
    """Ours takes at most `times` the seconds of the floor."""
    found = None if row.ratio is None else 1 / row.ratio
    return _bound(f"≤ {times:g}× the floor", found, "×", met=found is not None and found <= times)


def at_most(what: str, found: float | None, limit: float, unit: str = "") -> Bound:
    """A figure is no larger than its limit."""
    return _bound(f"{what} ≤ {limit:,g}{unit}", found, unit, met=found is not None and found <= limit)


def same_picks(ours: object, theirs: object) -> Bound:
    """Both picked the same points, in whatever order; None is a side that was not measured."""
    if ours is None or theirs is None:
        return Bound(text="same picks")
    mine, other = (set(map(int, picks)) for picks in (ours, theirs))  # type: ignore[call-overload]
    return Bound(text="same picks", found=f"{len(mine & other)} of {len(mine)}", met=mine == other)


def _bound(text: str, found: float | None, unit: str, *, met: bool) -> Bound:
    return Bound(text=text) if found is None else Bound(text=text, found=f"{found:.3g}{unit}", met=met)
