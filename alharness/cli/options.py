"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from alharness.text.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from alharness.api.executor import ExecutorPlugin
    from alharness.registry import Registry
    from alharness.spec import Chosen

PATH = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)

spec_argument = click.argument("path", metavar="SPEC", type=PATH)
specs_argument = click.argument("paths", metavar="SPEC...", nargs=-1, required=True, type=PATH)
spec_argument = click.argument("path", metavar="SPEC", type=PATH)
specs_argument = click.argument("paths", metavar="SPEC...", nargs=-1, required=True, type=PATH)
runs_argument = click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=PATH)
include_option = click.option(
    "--include",
    multiple=True,
    type=PATH,
    metavar="FILE",
    help="A Python file with a sampler, model or data set of your own; may be given several times.",
)


statistics_option = click.option(
    "--statistics",
    type=click.Choice(["blocks", "paired_t"]),
    help="Whose noise tests of differences take, in place of what the spec says: that of all samplers, or that of "
    "their own two.",
)


executor_option = click.option(
    "--executor",
    metavar="NAME",
    help="What starts the workers, as in `alharness plugins`. Default: processes, on this machine.",
)
executor_params_option = click.option(
    "--executor-param",
    "-x",
    "executor_params",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the executor; may be given several times.",
)


def chosen_executor(
    name: str | None, params: tuple[str, ...], installed: Registry
) -> Chosen[ExecutorPlugin] | None:
    """The executor of --executor and -x; None for the default. Raises HarnessError: there is none like this."""
    if name is None:
        if params:
            raise click.UsageError(f"-x {params[0]}: name the executor that it is for with --executor")
        return None
    from alharness.spec.executor import choose_executor

    return choose_executor(name, params, installed)


def set_option(what: str = "Change a value of the spec.") -> Callable[..., Callable[..., object]]:
    """`--set KEY=VALUE`; `what` is its help."""
    return click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help=what)


def workdir_option(what: str = "Where run directories are kept.") -> Callable[..., Callable[..., object]]:
    """`--workdir DIRECTORY`; `what` is its help."""
    return click.option("--workdir", type=FOLDER, default="runs", show_default=True, help=what)


def load_plugins(include: Iterable[Path]) -> Registry:
    """The installed plugins, and those of these files. Raises PluginError if a file cannot be used."""
    from alharness import registry  # only some of these commands know plugins

    return registry.load(extras=registry.Extras.collect(include=include))


def warn(message: str) -> None:
    """Say it on stderr, so that what is printed can be used."""
    click.echo(f"warning: {safe(message)}", err=True)
