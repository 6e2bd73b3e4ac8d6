"""Rich's console, for every encoding: what lacks a character gets other words before a table is laid out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console

from alharness.text.terminal import plain, translate

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.status import Status
    from rich.text import Text


class PageConsole(Console):
    """A console on whatever stream there is."""

    def render_str(self, text: str, **options: Any) -> Text:
        """The text in characters of the stream's encoding."""
        return super().render_str(translate(text, self.encoding), **options)

    def say(self, text: str, style: str | None = None) -> None:
        """A paragraph that the terminal may break, and not we, so that commands and paths can be copied."""
        self.print(plain(text), style=style, soft_wrap=True)

    def status(self, status: RenderableType, **options: Any) -> Status:
        """Something that moves, in characters that the stream has."""
        spinner = "dots" if self.encoding.startswith("utf") else "line"
        return super().status(status, **{"spinner": spinner, **options})
