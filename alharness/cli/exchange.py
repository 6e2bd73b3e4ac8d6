"""What `alharness query` takes from labeling tools, and what it sends there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from alharness.text.words import command_line

from .options import FILE, warn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from alharness.labeling.tools.tool import Tool

PLACE = "TOOL:PLACE"

to_option = click.option(
    "--to",
    "target",
    metavar=PLACE,
    help="Send what is to be labeled to Label Studio or Argilla, as a file or to a server: "
    "labelstudio:tasks.json, argilla:http://localhost:6900.",
)
from_option = click.option(
    "--from",
    "sources",
    multiple=True,
    metavar=PLACE,
    help="Take labels from there: an export, or a server. May be given several times.",
)
show_option = click.option(
    "--show",
    type=FILE,
    metavar="TABLE",
    help="What people see of a sample in such a tool: a CSV or parquet file with the column id; its other "
    "columns, such as a text or the address of an image, go along. The project keeps it.",
)


def open_tool(place: str, folder: Path) -> Tool:
    """What a place names, for this project. Raises SpecError."""
    from alharness.labeling.tools.places import tool_at

    return tool_at(place, title=folder.resolve().name, warn=warn)


def take_labels(sources: Sequence[str], target: str | None, folder: Path) -> dict[str, Mapping[str, str]]:
    """What people agree on at each of these places, by its name; the target may be new. Raises HarnessError."""
    from alharness.labeling.tools.answers import settle
    from alharness.labeling.tools.tool import Absent

    found: dict[str, Mapping[str, str]] = {}
    for place in sources:
        tool = open_tool(place, folder)
        try:
            settled = settle(tool.answers())
        except Absent:
            if place != target:
                raise
            continue
        if settled.open:
            warn(f"{tool.where}: {settled.warning}")
        found[tool.where] = settled.labels
    return found


def fill_in(folder: Path, target: str | None, sources: Sequence[str]) -> str:
    """How the labels of a batch come."""
    if target is None:
        places = [word for source in sources for word in ("--from", source)]
        what = "label them there" if sources else "fill in the column label"
        return f"{what}, then: {command_line('query', folder, *places)}"
    tool, _, where = target.partition(":")
    if where.startswith(("http://", "https://")):
        return f"label them there, then: {command_line('query', folder, '--from', target, '--to', target)}"
    export = next((source for source in sources if source.startswith(f"{tool}:")), f"{tool}:export.json")
    words = command_line("query", folder, "--from", export, "--to", target)
    return f"import this file there, label, export as {export.partition(':')[2]}, then: {words}"
