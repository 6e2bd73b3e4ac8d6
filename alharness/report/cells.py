"""Tables and their cells: numbers as people read them, and as programs do."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from alharness.text import numbers, spreadsheets

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from alharness.results.statistics import Mean

PARTS = ("", "low", "high", "of", "note")
"""What a cell may hold for programs, in the order of the columns of the file."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """A cell of a table.

    Attributes:
        text: as people read it, standing alone.
        number: as programs read it; None if there is only text.
        half: half the width of the number's interval; NaN without one.
        note: words that follow the number.
        strong: shown in bold.
        free: whether the digits of the number are chosen together with those of its column.
        more: what else programs read: a name behind that of the column -> value.
        shade: color behind it, from -1 for much worse to 1 for much better; 0 for none.
        link: file that it leads to, relative to the page; empty for none.
    """

    text: str
    number: float | None = None
    half: float = math.nan
    note: str = ""
    strong: bool = False
    free: bool = False
    more: Mapping[str, float | str] = field(default_factory=dict)
    shade: float = 0.0
    link: str = ""

    @property
    def sorts_by(self) -> float | None:
        """The number by which a reader may sort; None for text, and for an infinite number."""
        return self.number if self.number is not None and math.isfinite(self.number) else None

    @property
    def tint(self) -> str:
        """Class of its color: `up1` to `up5` for better, `down1` to `down5` for worse; empty for none."""
        step = math.ceil(5 * min(abs(self.shade), 1))
        return f"{'up' if self.shade > 0 else 'down'}{step}" if step else ""

    def shown(self, form: numbers.Form) -> Value:
        """The same with its number written in this form, if that is free."""
        if self.number is None or not self.free:
            return self
        text = numbers.typeset(form.interval(self.number, self.half))
        return replace(self, text=f"{text} ({self.note})" if self.note else text)

    @property
    def parts(self) -> Mapping[str, float | str]:
        """All that programs read, by the end of a column's name; no NaN and no infinite number."""
        found: dict[str, float | str] = {"note": self.note} if self.note else {}
        if self.number is None:
            if self.text != numbers.NOTHING and not (self.note or self.more):
                found["note"] = self.text
        elif math.isfinite(self.number):
            found[""] = self.number
            if math.isfinite(self.half):
                found |= {"low": self.number - self.half, "high": self.number + self.half}
        else:
            found["note"] = self.text
        return found | dict(self.more)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        text: its heading, as people read it.
        cells: from above; a text alone is a value of that text.
        name: in the CSV file; by default made from the heading.
        strong: name of another column, which says whether a cell is bold; empty if others say why.
        of: magnitude of what its numbers are differences of; below it there is rounding noise.
    """

    text: str
    cells: Sequence[Value | str]
    _: KW_ONLY
    name: str = ""
    strong: str = ""
    of: float = 0.0

    @cached_property
    def shown(self) -> Sequence[Value]:
        """Its cells, numbers written with as many digits as the column needs."""
        cells = [Value(text=cell) if isinstance(cell, str) else cell for cell in self.cells]
        free = [(cell.number, cell.half) for cell in cells if cell.free and cell.number is not None]
        form = numbers.form([number for number, _ in free], [half for _, half in free], of=self.of)
        return [cell.shown(form) for cell in cells]

    @property
    def numeric(self) -> bool:
        """Whether it has a number."""
        return any(cell.number is not None for cell in self.shown)

    @property
    def sheet(self) -> Iterable[tuple[str, Sequence[Any]]]:
        """It for programs: names and values of as many columns as its cells have parts, unrounded."""
        name, cells = self.name or spreadsheets.name(self.text), self.shown
        if all(cell.number is None and not cell.more for cell in cells):
            yield name, [None if cell.text == numbers.NOTHING else cell.text for cell in cells]
            return
        parts = dict.fromkeys(part for cell in cells for part in cell.parts)
        for part in sorted(parts, key=lambda part: PARTS.index(part) if part in PARTS else len(PARTS)):
            yield "_".join(filter(None, (name, part))), [cell.parts.get(part) for cell in cells]
        if self.strong:
            yield self.strong, [cell.strong for cell in cells]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; `name` is that of its CSV file. A folded one is shown on request.

    `apart` are the numbers of the rows above which a line is drawn.
    """

    name: str
    title: str
    columns: Sequence[Column]
    note: str = ""
    folded: bool = False
    apart: Collection[int] = ()

    @property
    def rows(self) -> Sequence[Sequence[Value]]:
        """Row by row."""
        return [*zip(*(column.shown for column in self.columns), strict=True)]

    @property
    def sheet(self) -> Sheet:
        """The table for programs."""
        names, columns = zip(*(pair for column in self.columns for pair in column.sheet), strict=True)
        return Sheet(name=self.name, headings=spreadsheets.unique(names), rows=[*zip(*columns, strict=True)])


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table for programs alone.

    Attributes:
        name: that of its CSV file.
        headings: names of its columns.
        rows: None and NaN become empty cells.
        about: what it holds, for people.
    """

    name: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Any]]
    about: str = ""


def bold(text: str) -> Value:
    """Text in bold, as the names of rows are."""
    return Value(text=text, strong=True)


def number(
    value: float, write: Callable[[float], str] | int | None = None, *, strong: bool = False, note: str = ""
) -> Value:
    """A number, or a dash for NaN.

    Args:
        value: the number.
        write: how, or with how many decimals; None for as many digits as its column needs.
        strong: shown in bold.
        note: words that follow it.
    """
    if math.isnan(value):
        return Value(text=f"{numbers.NOTHING} ({note})" if note else numbers.NOTHING, note=note)
    text = numbers.fixed(value, write) if isinstance(write, int) else (write or numbers.number)(value)
    text = numbers.typeset(text)
    return Value(
        text=f"{text} ({note})" if note else text, number=value, note=note, strong=strong, free=write is None
    )


def interval(value: float, half: float, *, strong: bool = False, note: str = "") -> Value:
    """A mean ± half the width of its interval, if it has one, with as many digits as its column needs."""
    if math.isnan(value):
        return number(value, note=note)
    found = Value(text="", number=value, half=half, strong=strong, note=note, free=True)
    return found.shown(numbers.form([value], [half]))


def averaged(mean: Mean | None, *, strong: bool = False) -> Value:
    """A mean over seeds with its interval, and in how many seeds it is undefined; a dash for None."""
    if mean is None:
        return Value(text=numbers.NOTHING)
    note = f"{mean.undefined} undefined" if mean.undefined else ""
    return interval(mean.value, mean.half, strong=strong, note=note)


def count(value: int, of: int | None = None) -> Value:
    """How many, and of how many if it is not all of them."""
    return Value(
        text=numbers.count(value) if of in (None, value) else f"{numbers.count(value)} of {numbers.count(of)}",
        number=value,
        more={} if of is None else {"of": of},
    )


def between(low: float, high: float) -> Value:
    """An interval of whole numbers, each end with a column of its own; an end without a bound is named."""
    ends = {"low": low, "high": high}
    open_ends = [name for name, end in ends.items() if not math.isfinite(end)]
    found: dict[str, float | str] = {name: end for name, end in ends.items() if math.isfinite(end)}
    if open_ends:
        found["note"] = f"no bound: {', '.join(open_ends)}"
    return Value(text=numbers.typeset(f"{numbers.count(low)} to {numbers.count(high)}"), more=found)


def probability(p: float) -> Value:
    """A p value."""
    return number(p, numbers.probability)


def parts(keys: Iterable[object]) -> list[int]:
    """Numbers of the rows of a table that begin another part of it: their key is not that of the row before."""
    return [number for number, (before, key) in enumerate(pairwise(keys), 1) if key != before]
