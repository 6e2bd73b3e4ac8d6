"""`--include FILE`, the same for every command that knows plugins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from alharness import registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alharness.registry import Registry

include_option = click.option(
    "--include",
    "include",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A Python file with a sampler, model or data set of your own; may be given several times.",
)


def load_plugins(include: Iterable[Path]) -> Registry:
    """The installed plugins, and those of these files. Raises PluginError if a file cannot be used."""
    return registry.load(extras=registry.Extras.collect(include=include))
