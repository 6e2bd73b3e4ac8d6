"""Places of labeling tools, as `--to` and `--from` name them: `labelstudio:tasks.json`, `argilla:https://...`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from alharness.errors import SpecError
from alharness.text.redaction import redact
from alharness.text.words import choices

from .argilla import ArgillaFile, ArgillaServer
from .labelstudio import LabelStudioFile, LabelStudioServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .tool import File, Remote, Tool

TOOLS: dict[str, tuple[type[File], type[Remote]]] = {
    "argilla": (ArgillaFile, ArgillaServer),
    "labelstudio": (LabelStudioFile, LabelStudioServer),
}


def tool_at(place: str, *, title: str, warn: Callable[[str], None]) -> Tool:
    """What is there.

    Args:
        place: name of a tool, a colon, and a file or an address.
        title: name of the project, which a new place on a server gets.
        warn: gets what the user should know.

    Raises:
        SpecError: it names no tool or no place, or has a secret in it.

    >>> tool_at("labelstudio:http://localhost:8080/projects/5/data", title="cats", warn=print).where
    'http://localhost:8080/projects/5'
    """
    name, _, where = place.partition(":")
    example = "labelstudio:tasks.json or argilla:http://localhost:6900"
    if name not in TOOLS:
        raise SpecError(f"{redact(place)}: expected a tool and a place, such as {example}{choices(name, TOOLS)}")
    if not where:
        raise SpecError(f"{place}: which file, or which address? For example {example}")
    file, server = TOOLS[name]
    if not where.startswith(("http://", "https://")):
        return file(Path(where))
    address = _address(where)
    if address is None:
        raise SpecError(f"{redact(place)}: is no address; expected one such as http://localhost:8080")
    if "@" in address.netloc or redact(address.query) != address.query:
        raise SpecError(
            f"{redact(place)!r}: leave the secret out, and put the token into the variable {server.variable}"
        )
    return server(where, title, warn)


def _address(text: str) -> SplitResult | None:
    """Its parts; None if it has no host, or a port that cannot be."""
    with suppress(ValueError):
        found = urlsplit(text)
        if found.hostname and found.port != 0:
            return found
    return None
