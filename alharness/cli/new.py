"""`alharness new`: the files of a plugin of one's own."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - click reads it
from typing import TYPE_CHECKING

import click

from alharness import scaffold
from alharness.errors import PluginError
from alharness.text.terminal import plain
from alharness.text.words import command_line

from .options import FOLDER, load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command
@click.argument("kind", type=click.Choice([*scaffold.EXAMPLES]))
@click.argument("name")
@click.option("--out", type=FOLDER, default=".", show_default=True, help="The folder that gets the new one.")
def new(kind: str, name: str, out: Path) -> None:
    """Write a plugin of your own: a distribution that installs, is listed, keeps its promises, and runs.

    KIND is sampler, model, dataset, tracker or executor, and NAME is the plugin's. The new folder has an example
    that works, its tests, a spec, a README, a licence and a file for hosted CI. For example:

    \b
        alharness new sampler smallest_gap
        pip install -e smallest-gap
        alharness run smallest-gap/smallest_gap.yaml
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    registered = getattr(load_plugins(()), f"{kind}s").get(name.replace("-", "_"))
    if registered is not None:
        raise PluginError(f"{registered.origin} has a {kind} of this name already; choose another name")
    folder, files = scaffold.write(kind, name, out)
    click.echo(plain(f"{folder} has {len(files)} files: {', '.join(files)}\n"))
    click.echo("Next:")
    for line in _next(kind, folder):
        click.echo(f"    {plain(line)}")


def _next(kind: str, folder: Path) -> Iterator[str]:
    """Commands that install and try it."""
    name = folder.name.replace("-", "_")
    yield f"pip install -e {folder}"
    if kind == "dataset":
        yield f"python -m {name}.example {folder / 'data'}"
    given = {"dataset": ("--set", f"path={folder / 'data'}"), "tracker": ("--set", "path=lines.jsonl")}
    yield command_line("check", "--plugin", name, *given.get(kind, ()))
    if kind == "executor":
        yield command_line("run", "digits_quick", "--executor", name)
    else:
        yield command_line("run", folder / f"{name}.yaml")
