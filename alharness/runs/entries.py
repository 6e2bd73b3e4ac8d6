"""What the lines of a journal may hold, beyond being whole: types, and what follows from the lines before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, Strict, ValidationError

from alharness.api.records import CycleRecord, Timing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

LATEST = 253_402_300_799_999
"""Milliseconds since the epoch at the end of the year 9999, the last that dates can hold."""


class Impossible(Exception):
    """A line holds what cannot be.

    Attributes:
        line: its number, from 1.
    """

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


class _Entry(BaseModel):
    """A text is no number, and unknown fields are refused. Fields with a default are missing in older journals."""

    model_config = ConfigDict(strict=True, extra="forbid")


Entry = TypeVar("Entry", bound=_Entry)
Time = Annotated[int, Field(ge=0, le=LATEST)]
Cost = Annotated[FiniteFloat, Field(ge=0)]
Use = Annotated[str, Field(pattern=r"(?s)^(share|moved|drop)/.")]
"""What is known of a modality."""
Array = Strict(strict=False)
"""Of a tuple: it may be written as JSON writes it. Its items are as strict as all else."""


class _Began(_Entry):
    at: Time


class _First(_Entry):
    format: int
    context: dict[str, Any]
    measured: _Began


class _Measured(_Entry):
    cost: dict[str, Cost]
    at: Time
    timing: Timing = "exclusive"
    machine: str = ""


class _Cycle(_Entry):
    cycle: int
    labeled: Annotated[int, Field(ge=1)]
    metrics: dict[str, float]
    diagnostics: dict[str, float]
    utilisation: dict[Use, FiniteFloat] = Field(default_factory=dict)
    chosen: Annotated[tuple[str, ...], Array]
    scores: Annotated[tuple[FiniteFloat, ...], Array]
    measured: _Measured

    def record(self) -> CycleRecord:
        fields = {**dict(self), **dict(self.measured)}
        del fields["measured"]
        return CycleRecord(**fields)


def header(line: Mapping[str, Any]) -> tuple[Mapping[str, Any], int]:
    """Context and begin from the first line. Raises Impossible."""
    found = _read(_First, 1, line)
    return found.context, found.measured.at


def cycles(
    lines: Iterable[Mapping[str, Any]], labeled: Sequence[int] | None, *, named: bool = False
) -> list[CycleRecord]:
    """The cycles from all further lines. Raises Impossible.

    Args:
        lines: as they are in the file.
        labeled: labels at cycle 0, 1, ... to the cell's end, if they are known.
        named: every cycle must name what it chose. Otherwise none may, as in made-up curves; then numbers of
            labels follow the schedule alone.
    """
    found = [_read(_Cycle, number, line).record() for number, line in enumerate(lines, 2)]
    named = named or any(record.chosen for record in found)
    seen: set[str] = set()
    expected: int | None = None
    for number, record in enumerate(found):
        if fault := next(_faults(record, number, expected, labeled, seen, named=named), None):
            raise Impossible(number + 2, fault)
        expected = record.labeled + len(record.chosen) if named else None
        seen.update(record.chosen)
    return found


def _faults(
    record: CycleRecord,
    number: int,
    expected: int | None,
    labeled: Sequence[int] | None,
    seen: set[str],
    *,
    named: bool,
) -> Iterator[str]:
    """What is wrong with a cycle, given those before it."""
    chosen = record.chosen
    if record.cycle != number:
        yield f"expected cycle {number}, found cycle {record.cycle}"
    if record.scores and len(record.scores) != len(chosen):
        yield f"it has {len(record.scores)} scores for {len(chosen)} chosen samples"
    if labeled is not None and number >= len(labeled):
        yield f"the cell has no cycle {number}"
    expected = expected if labeled is None else labeled[number]
    if expected not in (None, record.labeled):
        yield f"it has {record.labeled} labels instead of {expected}"
    if len(set(chosen)) < len(chosen) or not seen.isdisjoint(chosen):
        yield "it chooses a sample that was chosen before"
    if labeled is not None and named:
        asked = labeled[min(number + 1, len(labeled) - 1)] - labeled[number]
        if len(chosen) != asked:
            yield f"it chooses {len(chosen)} samples instead of {asked}"


def _read(kind: type[Entry], number: int, line: Mapping[str, Any]) -> Entry:
    try:
        return kind.model_validate(line)
    except ValidationError as error:
        first = error.errors()[0]
        raise Impossible(number, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
