"""What the lines of a journal may hold, beyond being whole: types, and what follows from the lines before."""

from __future__ import annotations

import math
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from alharness.api.records import CycleRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from dataclasses import Field

Entry = TypeVar("Entry")

ALWAYS = ("diagnostics", "chosen", "scores", "cost", "at")
"""Fields that every version wrote, although a record does without."""
LATEST = 253_402_300_799_999
"""Milliseconds since the epoch at the end of the year 9999, the last that dates can hold."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """First line of a journal.

    Attributes:
        context: all that a cell's numbers depend on; a journal is only continued if it is equal.
        started: when the cell began, milliseconds since the epoch.
    """

    context: Mapping[str, Any]
    started: int


class Impossible(Exception):
    """A line holds what cannot be.

    Attributes:
        line: its number, from 1.
    """

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


def header(line: Mapping[str, Any]) -> Header:
    """The header from the first line. Raises Impossible."""
    found = _checked(Header, 1, {"context": line.get("context"), "started": line["measured"].get("at")})
    if not 0 <= found.started <= LATEST:
        raise Impossible(1, "its time is none")
    return found


def cycles(lines: Iterable[Mapping[str, Any]], labeled: Sequence[int] | None) -> list[CycleRecord]:
    """The cycles from all further lines. Raises Impossible.

    If no cycle names what it chose, as in made-up curves, numbers of labels follow the schedule alone.

    Args:
        lines: as they are in the file.
        labeled: labels at cycle 0, 1, ... to the cell's end, if they are known.
    """
    found = [_cycle(line, number) for number, line in enumerate(lines, 2)]
    named = any(record.chosen for record in found)
    seen: set[str] = set()
    expected: int | None = None
    for number, record in enumerate(found):
        sizes = _sizes(number, labeled)
        reason = (
            _out_of_range(record)
            or _out_of_order(record, number, expected, seen)
            or (_off_schedule(record, sizes, named=named) if sizes else None)
        )
        if reason:
            raise Impossible(number + 2, reason)
        expected = record.labeled + len(record.chosen) if named else None
        seen.update(record.chosen)
    return found


def _cycle(line: Mapping[str, Any], number: int) -> CycleRecord:
    values = {**line, **line["measured"]}
    del values["measured"]
    for name in ("chosen", "scores"):
        if isinstance(values.get(name), list):
            values[name] = tuple(values[name])
    return _checked(CycleRecord, number, values)


def _out_of_range(record: CycleRecord) -> str | None:
    if record.labeled < 1:
        return f"it has {record.labeled} labels"
    if record.scores and len(record.scores) != len(record.chosen):
        return f"it has {len(record.scores)} scores for {len(record.chosen)} chosen samples"
    if not all(map(math.isfinite, record.scores)):
        return "a score is not finite"
    if bad := [name for name, value in record.cost.items() if not 0 <= value < math.inf]:
        return f"its {bad[0]} is {record.cost[bad[0]]}"
    return None if 0 <= record.at <= LATEST else "its time is none"


def _out_of_order(record: CycleRecord, number: int, expected: int | None, seen: set[str]) -> str | None:
    chosen = record.chosen
    if record.cycle != number:
        return f"expected cycle {number}, found cycle {record.cycle}"
    if expected not in (None, record.labeled):
        return f"it has {record.labeled} labels instead of {expected}"
    if len(set(chosen)) < len(chosen) or not seen.isdisjoint(chosen):
        return "it chooses a sample that was chosen before"
    return None


def _off_schedule(record: CycleRecord, sizes: tuple[int, int], *, named: bool) -> str | None:
    labels, chosen = sizes
    if labels < 0:
        return f"the cell has no cycle {record.cycle}"
    if record.labeled != labels:
        return f"it has {record.labeled} labels instead of {labels}"
    if named and len(record.chosen) != chosen:
        return f"it chooses {len(record.chosen)} samples instead of {chosen}"
    return None


def _sizes(number: int, labeled: Sequence[int] | None) -> tuple[int, int] | None:
    """Labels of a cycle and how many it chooses; (-1, 0) past the end, None if the schedule is not known."""
    if labeled is None:
        return None
    if number >= len(labeled):
        return -1, 0
    last = number + 1 == len(labeled)
    return labeled[number], 0 if last else labeled[number + 1] - labeled[number]


def _checked(kind: Callable[..., Entry], number: int, values: Mapping[str, Any]) -> Entry:
    """A record whose values are of its types. Raises Impossible."""
    try:
        found = _model(kind).model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise Impossible(number, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return kind(**{name: getattr(found, name) for name in type(found).model_fields})


@cache
def _model(kind: Any) -> type[BaseModel]:
    """A strict model of a record: a text is no number, and unknown fields are refused."""
    types = get_type_hints(kind)
    known: dict[str, Any] = {field.name: (types[field.name], _default(field)) for field in fields(kind)}
    return create_model(kind.__name__, __config__=ConfigDict(strict=True, extra="forbid"), **known)


def _default(field: Field[Any]) -> object:
    return ... if field.default is MISSING or field.name in ALWAYS else field.default
