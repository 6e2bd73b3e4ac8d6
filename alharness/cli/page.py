"""Pages of text, lists and tables for the terminal; what others wrote is shown as it is, never as markup.

Lists are click's, as in the help of a command. Tables are rich's, whose import takes a tenth of the time of a
command that runs nothing: one that should answer at once makes lists.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, RenderableType

WIDTH_OF_A_FILE = 120


def open_page() -> Console:
    """A console on stdout: as wide as the terminal, or wide enough to read in a file or a pipe."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, width=None if _has_width() else WIDTH_OF_A_FILE)


def make_list(heading: str, rows: Iterable[tuple[str, str]]) -> str:
    """Names, and beside each what is said of it, as wide as a page; `none` where there are no rows."""
    formatter = click.HelpFormatter(width=shutil.get_terminal_size().columns if _has_width() else WIDTH_OF_A_FILE)
    formatter.write(click.style(plain(heading), bold=True) + "\n")
    with formatter.indentation():
        formatter.write_dl([(plain(name), plain(text)) for name, text in rows] or [("none", "")])
    return formatter.getvalue()


def make_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> RenderableType:
    """A table without lines between its rows."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(*headings, box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    return table


def _has_width() -> bool:
    return sys.stdout.isatty() or "COLUMNS" in os.environ


def plain(text: str) -> str:
    """The text with control characters as escapes, so that it cannot play with the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
