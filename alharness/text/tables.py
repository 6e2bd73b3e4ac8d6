"""A table for any width: if it does not fit, it becomes blocks of columns, and then lists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .terminal import translate

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType

LONGEST_WORD = 24
"""Columns that a text may take at least, however long its words are."""
FRAME = 3
"""Width of a column without its text."""


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Rows of texts for the console. Rich's own tables cut what does not fit, which spoils a figure.

    Attributes:
        headings: of the columns; the first names the rows, and is repeated in each block.
        rows: as many texts as there are headings.
        figures: all columns but the first hold figures: they are aligned to the right, and never break.
        group: so many columns belong together, from the second one on.
        apart: numbers of the rows above which a line is drawn.
        lines: draw the lines of a table around everything.
        title: above.
        caption: below.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    figures: bool = True
    group: int = 1
    apart: Collection[int] = ()
    lines: bool = True
    title: str = ""
    caption: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The form that fits; rich calls it."""
        fitting = replace(
            self,
            headings=[translate(text, options.encoding) for text in self.headings],
            rows=[[translate(text, options.encoding) for text in row] for row in self.rows],
        )
        width = options.max_width
        blocks = _split(fitting, width)
        if len(blocks) == 1:
            table = _table(fitting, blocks[0], width)
            table.title, table.caption = self.title or None, self.caption or None
            yield table
            return
        if self.title:
            yield console.render_str(self.title, style="table.title")
        for block in blocks:
            yield _table(fitting, block, width)
        if not blocks:
            yield from _lists(fitting, width)
        if self.caption:
            yield console.render_str(self.caption, style="table.caption")


def _split(whole: Blocks, width: int) -> list[list[int]]:
    """Numbers of the columns of each block; nothing if some do not fit next to the first."""
    least = [_least(whole, column) + FRAME for column in range(len(whole.headings))]
    blocks = [[0]]
    for start in range(1, len(least), whole.group):
        group = [*range(start, min(start + whole.group, len(least)))]
        needed = sum(least[column] for column in group) + 1
        if sum(least[column] for column in blocks[-1]) + needed <= width:
            blocks[-1] += group
        elif least[0] + needed <= width:
            blocks.append([0, *group])
        else:
            return []
    return blocks


def _least(whole: Blocks, column: int) -> int:
    """Width below which a column could not be read: figures stay whole, texts and headings break at words."""
    texts = [row[column] for row in whole.rows]
    heading = [cell_len(word) for word in whole.headings[column].split()]
    if whole.figures:
        return max([1, *heading, *map(cell_len, texts)])
    return min(max([1, *heading, *(cell_len(word) for text in texts for word in text.split())]), LONGEST_WORD)


def _widths(whole: Blocks, columns: Sequence[int], width: int) -> list[int]:
    """Widths of these columns: as their texts are, or as near to that as fits."""
    least = [_least(whole, column) for column in columns]
    texts = [[whole.headings[column], *(row[column] for row in whole.rows)] for column in columns]
    wishes = [max(max(map(cell_len, column)) - start, 0) for start, column in zip(least, texts, strict=True)]
    spare = max(width - sum(least) - FRAME * len(columns) - 1, 0)
    share = min(1.0, spare / sum(wishes)) if any(wishes) else 0.0
    return [start + int(share * wish) for start, wish in zip(least, wishes, strict=True)]


def _table(whole: Blocks, columns: Sequence[int], width: int) -> Table:
    table = Table(
        box=box.HEAVY_HEAD if whole.lines else box.SIMPLE_HEAD, pad_edge=whole.lines, header_style="bold"
    )
    for column, own in zip(columns, _widths(whole, columns, width), strict=True):
        table.add_column(
            whole.headings[column],
            style="bold" if whole.figures and column == 0 else None,
            justify="right" if whole.figures and column else "left",
            width=own,
            overflow="fold",
        )
    for number, row in enumerate(whole.rows):
        if number in whole.apart:
            table.add_section()
        table.add_row(*(row[column] for column in columns))
    return table


def _lists(whole: Blocks, width: int) -> Iterator[RenderableType]:
    for first, *others in whole.rows:
        yield Text(first or whole.headings[0], style="bold", overflow="fold")
        for heading, text in zip(whole.headings[1:], others, strict=True):
            line = f"{heading}: {text}" if heading else text
            if cell_len(line) + 2 <= width or not heading:
                yield Padding(Text(line, overflow="fold"), (0, 0, 0, 2), expand=False)
            else:
                yield Padding(Text(f"{heading}:", overflow="fold"), (0, 0, 0, 2), expand=False)
                yield Padding(Text(text, overflow="fold"), (0, 0, 0, 4), expand=False)
