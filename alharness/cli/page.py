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

from alharness.text.terminal import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from .console import PageConsole

WIDTH_OF_A_FILE = 120


def make_console() -> PageConsole:
    """A console on stdout: as wide as the terminal, or wide enough to read in a file or a pipe."""
    from .console import PageConsole

    width = None if _has_width() else WIDTH_OF_A_FILE
    return PageConsole(markup=False, highlight=False, emoji=False, width=width)


def make_list(heading: str, rows: Iterable[tuple[str, str]]) -> str:
    """Names, each with its description, as wide as a page; `none` if there are no rows."""
    formatter = click.HelpFormatter(width=shutil.get_terminal_size().columns if _has_width() else WIDTH_OF_A_FILE)
    formatter.write(click.style(plain(heading), bold=True) + "\n")
    with formatter.indentation():
        formatter.write_dl([(plain(name), plain(text)) for name, text in rows] or [("none", "")])
    return formatter.getvalue()


def make_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> RenderableType:
    """A table without lines between its rows."""
    from alharness.text.tables import Blocks

    texts = [[plain(cell) for cell in row] for row in rows]
    return Blocks(headings=[plain(heading) for heading in headings], rows=texts, figures=False, lines=False)


def _has_width() -> bool:
    return sys.stdout.isatty() or "COLUMNS" in os.environ
