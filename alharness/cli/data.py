"""`alharness data`: list and describe the data sets, and import those that must be converted once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from alharness.api.staging import staged
from alharness.errors import SpecError
from alharness.registry import load
from alharness.spec.sources import read_parameters
from alharness.text.terminal import plain
from alharness.text.words import NOTICE

from .options import PATH, set_option
from .page import make_console, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alharness.api.dataset import Dataset, DatasetPlugin


@click.group(invoke_without_command=True)
@click.pass_context
def data(context: click.Context) -> None:
    """List and describe data sets, and import those that must be converted once."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@data.command("import", short_help="Convert a data set that you have, or download it.")
@click.argument("name")
@click.argument("source", required=False, type=PATH)
@click.option("--download", is_flag=True, help="Download the files instead of naming a SOURCE.")
@click.option("--out", type=PATH, metavar="DIR", help="Folder to make; default: data/NAME.")
@click.option("--force", is_flag=True, help="Replace an older import.")
@set_option("A parameter of the import.")
def import_(
    name: str, source: Path | None, out: Path | None, assignments: tuple[str, ...], *, download: bool, force: bool
) -> None:
    """Convert the data set NAME from SOURCE, a file or folder that you have, into the harness's own format.

    \b
        alharness data import mfeat --download
        alharness data import mfeat ~/downloads/mfeat --out data/mfeat
        alharness data import cherma ~/downloads/CHERMA0723 --set audio_steps=50

    The folder appears only when everything went well.
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    plugin = load().dataset(name).plugin
    if plugin.fetch is None:
        raise SpecError(f"the data set {name!r} needs no import: name it in a spec as it is")
    if (source is None) != download:
        raise click.UsageError("name either a SOURCE, the file or folder to import from, or --download")
    if assignments and plugin.options is None:
        raise SpecError(f"--set {assignments[0]}: the import of {name!r} has no parameters")
    taken = [plugin.options] if plugin.options is not None else []
    options = [read_parameters(params, f"the import of {name}", assignments) for params in taken]
    target = out or Path("data", name)
    with staged(target, replace=force) as folder:
        lines = plugin.fetch(source, folder, *options)
    for line in lines:
        click.echo(plain(line))
    click.echo(f"The data set {name!r} is ready in {target}")


@data.command("list")
def list_() -> None:
    """List the installed data sets, their distributions and their terms."""
    rows = [
        (name, f"{found.distribution} {found.version}", found.plugin.summary, found.plugin.license)
        for name, found in sorted(load().datasets.items())
    ]
    make_console().print(make_table(("name", "from", "summary", "license"), rows))


@data.command("describe", short_help="Show shapes, labels and repairs of a data set.")
@click.argument("name")
@set_option("A parameter of the data set.")
@click.option("--verify", is_flag=True, help="Compare every stored file with its checksum first.")
def describe_(name: str, assignments: tuple[str, ...], *, verify: bool) -> None:
    """Load the data set NAME and show what is in it: shapes, splits, labels of every source, and repairs.

    \b
        alharness data describe digits
        alharness data describe simsv2 --set path=data/simsv2 --verify

    Parameters are those of the data set's `params` in a spec; relative paths start at the current folder.
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    plugin = load().dataset(name).plugin
    params = read_parameters(plugin.params, f"the data set {name}", assignments)
    page = make_console()
    if verify:
        if plugin.verify is None:
            raise SpecError(f"the data set {name!r} keeps no checksums that could be compared on demand")
        for line in plugin.verify(params):
            page.say(line)

    from alharness.datasets.description import describe

    dataset = plugin.make(params)
    if dataset.synthetic:
        page.say(NOTICE, style="bold yellow")
    page.print(make_table(("", name), _facts(plugin, dataset)))
    for table in describe(dataset):
        page.print(make_table(table.headings, table.rows))


def _facts(plugin: DatasetPlugin, dataset: Dataset) -> Iterator[tuple[str, str]]:
    yield "summary", plugin.summary
    yield "task", f"{dataset.task} of {len(dataset.classes)} classes" if dataset.classes else f"{dataset.task}"
    yield "synthetic", "yes" if dataset.synthetic else "no"
    yield "modalities", ", ".join(dataset.modalities)
    if dataset.unlabeled is not None:
        yield "without a label", f"{len(dataset.unlabeled):,} samples, which are not counted below"
    yield "license", plugin.license or "not stated"
    yield "cite", plugin.reference or "nothing"
    yield "sha256", dataset.digest
    for index, remark in enumerate(dataset.remarks):
        yield "remarks" if index == 0 else "", remark
