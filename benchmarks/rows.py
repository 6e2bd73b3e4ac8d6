"""Rows of the table, and the bounds that they must meet."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

KERNELS, TRAINING, RUNS = "Kernels", "Training", "Whole runs"
"""Groups of rows, each with a table of its own."""
GROUPS = (KERNELS, TRAINING, RUNS)
Seconds = Literal["cpu", "wall"]
"""Of the processor, or by the clock."""
MET, MISSED, UNKNOWN = "met", "FAIL", "not measured"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one side took.

    Attributes:
        cpu: seconds of the processor, the median over rounds.
        wall: seconds by the clock, the same.
        rounds: how many.
        memory: extra peak memory in MB, or for a command the peak of all its processes; None if it was not
            measured.
    """

    cpu: float
    wall: float
    rounds: int
    memory: float | None = None

    def seconds(self, by: Seconds) -> float:
        """Those of the processor, or those by the clock."""
        return self.cpu if by == "cpu" else self.wall


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
        if self.met is None:
            return UNKNOWN
        return MET if self.met else MISSED


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
        by: the seconds whose ratio the table shows.
    """

    work: str
    reference: str
    ours: Cost
    theirs: Cost | None = None
    missing: str = ""
    limit: str = ""
    bounds: tuple[Bound, ...] = ()
    notes: tuple[str, ...] = field(default=())
    group: str = KERNELS
    by: Seconds = "cpu"

    @property
    def ratio(self) -> float | None:
        """The seconds of the reference over ours; None if it was not measured."""
        return None if self.theirs is None else self.theirs.seconds(self.by) / self.ours.seconds(self.by)

    @property
    def missed(self) -> tuple[Bound, ...]:
        """The bounds that do not hold."""
        return tuple(bound for bound in self.bounds if bound.met is False)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Back from plain values."""
        theirs = values["theirs"]
        return cls(
            **{
                **values,
                "ours": Cost(**values["ours"]),
                "theirs": None if theirs is None else Cost(**theirs),
                "bounds": tuple(Bound(**bound) for bound in values["bounds"]),
                "notes": tuple(values["notes"]),
            }
        )


def faster(ours: Cost, theirs: Cost | None, times: float, by: Seconds = "cpu") -> Bound:
    """Ours takes at most 1/times of the seconds of theirs."""
    text = f"≥ {times:g}× faster"
    if theirs is None:
        return Bound(text=text)
    ratio = theirs.seconds(by) / ours.seconds(by)
    return Bound(text=text, found=f"{ratio:.3g}×", met=ratio >= times)


def within(ours: Cost, floor: Cost | None, times: float) -> Bound:
    """Ours takes at most `times` the processor time of the floor."""
    text = f"≤ {times:g}× the floor"
    if floor is None:
        return Bound(text=text)
    ratio = ours.cpu / floor.cpu
    return Bound(text=text, found=f"{ratio:.3g}×", met=ratio <= times)


def at_most(what: str, found: float | None, limit: float, unit: str = "") -> Bound:
    """A figure is no larger than its limit."""
    text = f"{what} ≤ {limit:,g}{unit}"
    if found is None:
        return Bound(text=text)
    return Bound(text=text, found=f"{found:.3g}{unit}", met=found <= limit)


def same_picks(ours: object, theirs: object) -> Bound:
    """Both picked the same points, in whatever order; None is a side that was not measured."""
    if ours is None or theirs is None:
        return Bound(text="same picks")
    mine, other = (set(map(int, picks)) for picks in (ours, theirs))  # type: ignore[call-overload]
    return Bound(text="same picks", found=f"{len(mine & other)} of {len(mine)}", met=mine == other)
