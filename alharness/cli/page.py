"""Pages of text and tables for the terminal; what plugins and users wrote is shown as it is, never as markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, RenderableType

WIDTH_OF_A_FILE = 120


def open_page() -> Console:
    """A console on stdout: as wide as the terminal, or wide enough to read in a file or a pipe."""
    import os
    import sys

    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH_OF_A_FILE
    return Console(markup=False, highlight=False, emoji=False, width=width)


def make_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> RenderableType:
    """A table without lines between its rows."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(*headings, box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    return table


def plain(text: str) -> str:
    """The text with control characters as escapes, so that it cannot play with the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
