"""What a report consists of, before it becomes a page and files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure

    from .cells import Sheet, Table
    from .charts import Chart, Key

PAGE = "index.html"
"""Name of the file of a report."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture.

    Attributes:
        name: that of its PNG and SVG files.
        title: above it.
        text: what it shows, for those who cannot see it.
        draw: draws it.
        size: in inches.
        charts: what the page shows in its place, with curves that can be switched off: one for desks and one for
            phones, or many small ones.
        folded: shown on request.
    """

    name: str
    title: str
    text: str
    draw: Callable[[Figure], None]
    size: tuple[float, float] = (6.0, 4.2)
    charts: Sequence[Chart] = ()
    folded: bool = False

    @property
    def wide(self) -> bool:
        """Whether it cannot be read at the width of a phone."""
        return self.size[0] > 6.5 and not self.charts


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading with paragraphs, pictures and tables under it, in this order.

    `legend` is that of the charts of its pictures.
    """

    anchor: str
    title: str
    paragraphs: Sequence[str] = ()
    legend: Sequence[Key] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    sheets: Sequence[Sheet] = ()


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
    reasons: Sequence[str] = ()


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
