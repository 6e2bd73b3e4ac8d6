"""What a report consists of, before it becomes a page and files."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Value:
    """A cell of a table.

    Attributes:
        text: as people read it.
        number: as programs read it; None where the text is all there is.
        strong: set off from the others.
    """

    text: str
    number: float | None = None
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; `name` is that of its CSV file. A folded one is seen where it is asked for."""

    name: str
    title: str
    headings: tuple[str, ...]
    rows: Sequence[Sequence[Value | str]]
    note: str = ""
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture; `name` is that of its PNG and SVG files, `text` says what it shows to those who cannot see it."""

    name: str
    title: str
    text: str
    draw: Callable[[Figure], None]
    size: tuple[float, float] = (6.0, 4.2)
    folded: bool = False

    @property
    def wide(self) -> bool:
        """Whether it cannot be read at the width of a phone."""
        return self.size[0] > 6.5


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading with paragraphs, pictures and tables under it, in this order."""

    anchor: str
    title: str
    paragraphs: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A question that the page answers first.

    Attributes:
        question: in the reader's words.
        short: the answer in a few words.
        reasons: what it rests on.
    """

    question: str
    short: str
    reasons: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole report.

    Attributes:
        title: of the page.
        subtitle: what was compared, in one line.
        notice: what must not be overlooked, such as that the data are made up; empty for nothing.
        answers: what most readers came for.
        sections: all the rest.
    """

    title: str
    subtitle: str
    notice: str
    answers: Sequence[Answer]
    sections: Sequence[Section] = field(default_factory=tuple)


def number(value: float, form: str = ".3f", *, strong: bool = False) -> Value:
    """A number, or a dash where there is none."""
    if math.isnan(value):
        return Value(text="–")
    if math.isinf(value):
        return Value(text="never", number=value, strong=strong)
    return Value(text=f"{value:{form}}".replace("-", "−"), number=value, strong=strong)


def interval(value: float, half: float, form: str = ".3f", *, strong: bool = False) -> Value:
    """A mean ± half the width of its interval, if it has one."""
    if math.isnan(value) or math.isnan(half):
        return number(value, form, strong=strong)
    return Value(text=f"{value:{form}} ± {half:{form}}".replace("-", "−"), number=value, strong=strong)


def probability(p: float) -> Value:
    """A p value."""
    if math.isnan(p):
        return Value(text="–")
    return Value(text="< 0.001" if p < 0.001 else f"{p:.3f}", number=p)


def p_value(p: float) -> str:
    """The same within a sentence."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
