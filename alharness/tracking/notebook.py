"""Progress in a notebook: one output of a cell, drawn again during the run, so that little of it is saved."""

from __future__ import annotations

import sys
import time
from collections import deque
from contextlib import contextmanager
from importlib import import_module
from io import StringIO
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .console import ConsoleProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

LINES = 8
"""The last lines that are shown, above the bars."""
PAUSE = 0.5
"""Seconds between two drawings, at least. Drawing more often would be felt by the queries that are being timed."""
WIDTH = 115


class NotebookProgress(ConsoleProgress):
    """Bars as on a terminal, with the last lines above them, in an output that takes the place of the one before.

    Args:
        only: as in `ConsoleProgress`.
        clock: seconds that never go back.
        display: shows an object, and returns a handle that can show another in its place; IPython's by default.
        title: as in `ConsoleProgress`.
    """

    def __init__(
        self,
        *,
        only: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
        display: Callable[..., Any] | None = None,
        title: str = "",
    ) -> None:
        super().__init__(Console(file=StringIO(), width=WIDTH), only=only, clock=clock, moving=True, title=title)
        self._display = display
        self._handle: Any = None
        self._lines: deque[Text] = deque(maxlen=LINES)
        self._drawn = float("-inf")

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw the last state at the end, however it comes."""
        if self._title:
            self._print(self._title, "bold")
        try:
            yield
        finally:
            for name in list(self._samplers):
                self._give_up_bar(name)
            self._draw(at_once=True)

    def _print(self, line: str, style: str | None = None) -> None:
        self._lines.append(Text(line, style or "", no_wrap=False))
        self._draw()

    def _draw(self, *, at_once: bool = False) -> None:
        now = self._clock()
        if now - self._drawn < PAUSE and not at_once:
            return
        self._drawn = now
        picture = Table.grid()
        for part in (*self._lines, self._bars.get_renderable()):
            picture.add_row(part)
        if self._handle is None:
            self._handle = self._first(picture)
        else:
            self._handle.update(picture)

    def _first(self, picture: Table) -> Any:
        display = self._display or import_module("IPython.display").display
        return display(picture, display_id=True)


def in_notebook() -> bool:
    """Whether this program is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")
