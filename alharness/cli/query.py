"""`alharness query`: what to label next in data of your own."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alharness.api.vocabulary import Task
from alharness.errors import DataError
from alharness.labeling.defaults import MODEL, PLANNED, SAMPLER, SAMPLER_FOR_NUMBERS, SIZE
from alharness.text.terminal import safe
from alharness.text.words import command_line, did_you_mean

from .exchange import fill_in, from_option, open_tool, show_option, take_labels, to_option
from .options import FILE, FOLDER, include_option, set_option, warn
from .page import make_console

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alharness.labeling.project import Progress

FILES = (".parquet", ".npz", ".npy", ".csv")
"""What `embeddings` reads."""


NEW = {"data", "task", "sampler", "model", "initial", "control", "cycles", "seed", "include", "assignments"}
"""Options that begin a project."""


class Query(click.Command):
    """Lists the options that begin a project by themselves."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Both lists."""
        options = [option for option in self.get_params(ctx) if isinstance(option, click.Option)]
        for title, new in (("Options", False), ("Options that begin a project", True)):
            with formatter.section(title):
                shown = [option.get_help_record(ctx) for option in options if (option.name in NEW) == new]
                formatter.write_dl([record for record in shown if record])


@click.command(cls=Query)
@click.argument("folder", metavar="PROJECT", type=FOLDER)
@click.option(
    "--data",
    metavar="DATA",
    help="Your data: a folder of arrays, a file of embeddings, or the name of a data set.",
)
@click.option(
    "--task",
    type=click.Choice([task.value for task in Task]),
    help="Whether labels are classes or numbers. Default: classes.",
)
@click.option(
    "--sampler", metavar="NAME", help=f"What chooses. Default: {SAMPLER}, for numbers {SAMPLER_FOR_NUMBERS}."
)
@click.option(
    "--model",
    metavar="NAME",
    help=f"What is trained. Default: {MODEL}, if it provides what the sampler needs.",
)
@click.option(
    "--initial",
    metavar="NAME",
    help="What chooses the first batch, from inputs alone, such as typiclust. Default: chance.",
)
@click.option(
    "-n",
    "size",
    type=click.IntRange(1),
    help=f"Samples of a batch. Default: those of the project; of a new one, {SIZE}.",
)
@click.option(
    "--labels",
    "tables",
    multiple=True,
    type=FILE,
    metavar="CSV",
    help="A table with the columns id and label; blank labels are passed over. May be given several times.",
)
@click.option(
    "--control",
    type=click.FloatRange(0, 1, max_open=True),
    help="Share of each batch that is drawn at random, to see what the sampler is worth.",
)
@click.option("--cycles", type=click.IntRange(1), help=f"Batches that you plan. Default: {PLANNED}.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Names all random numbers.")
@click.option("--class", "classes", multiple=True, metavar="NAME", help="A class that labels may be, seen or not.")
@click.option("--go-on", is_flag=True, help="Choose the next batch although some of this one have no label yet.")
@click.option("--relabel", is_flag=True, help="Take labels that differ from those so far.")
@from_option
@to_option
@show_option
@include_option
@set_option("Change a value of its spec, such as model.params.penalty=10.")
def query(
    folder: Path,
    data: str | None,
    tables: tuple[Path, ...],
    size: int | None,
    classes: tuple[str, ...],
    sources: tuple[str, ...],
    target: str | None,
    show: Path | None,
    *,
    go_on: bool,
    relabel: bool,
    **begin: Any,
) -> None:
    """Take the labels that have come, train, and write what to label next into PROJECT/next_batch.csv.

    The first call, with --data, makes the project. Then fill in the column `label` of next_batch.csv, and call it
    again with the project alone, as often as you like. For example:

    \b
        alharness query cats --data data/mine --sampler badge -n 20
        alharness query cats
        alharness report cats
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    from alharness.labeling.labels import read_given
    from alharness.labeling.project import Project
    from alharness.labeling.tools.contents import require_ids

    given: dict[str, Mapping[str, str]] = {str(path): read_given(path) for path in tables}
    if data is None:
        _require_nothing(begin)
        project = Project(folder, warn)
    tool = open_tool(target, folder) if target else None
    given |= take_labels(sources, target, folder)
    if tool:
        tool.require_ready()
    if show:
        require_ids(show)
    if data is not None:
        project = _begin(folder, data, size or SIZE, classes, **begin)
        classes = ()
    if show:
        project.show(show)
    progress = project.query(given, size=size, go_on=go_on, relabel=relabel, classes=classes)
    _say(progress)
    if tool:
        make_console().say(f"Sent:    {safe(project.send(progress, tool))}")
    _say_what_next(progress, fill_in(folder, target, sources))


def _require_nothing(begin: dict[str, Any]) -> None:
    names = {"assignments": "--set", "include": "--include"}
    for name, value in begin.items():
        if value not in (None, ()):
            option = names.get(name, f"--{name}")
            raise click.UsageError(
                f"{option} is for a new project, which begins with --data; this one has its own"
            )


def _begin(
    folder: Path,
    data: str,
    size: int,
    classes: tuple[str, ...],
    *,
    task: str | None,
    sampler: str | None,
    model: str | None,
    initial: str | None,
    control: float | None,
    cycles: int | None,
    seed: int | None,
    include: tuple[Path, ...],
    assignments: tuple[str, ...],
) -> Any:
    from alharness.labeling.project import Project
    from alharness.registry.discovery import misnamed

    name, dataset = folder.resolve().name, _dataset(folder, data, include)
    if task:
        dataset.setdefault("params", {})["task"] = task
    document = {
        "name": "project" if misnamed(name) else name,
        "dataset": dataset,
        **({"model": {"name": model}} if model else {}),
        "active_learning": {"initial_pool": size, "budget": size, "cycles": cycles or PLANNED},
        **({"samplers": [{"name": sampler}]} if sampler else {}),
        "seeds": [seed or 0],
        **({"initial": initial} if initial else {}),
        "tracking": "none",
    }
    return Project.begin(
        folder,
        document,
        assignments=assignments,
        include=[Path(os.path.relpath(path, folder)) for path in include],
        control=control or 0.0,
        classes=classes,
        warn=warn,
    )


def _dataset(folder: Path, data: str, include: tuple[Path, ...]) -> dict[str, Any]:
    """The data set of a path, or of a name."""
    from alharness import registry

    path = Path(data)
    if not path.exists():
        installed = registry.load(extras=registry.Extras.collect(include=include)).datasets
        if data in installed:
            return {"name": data}
        near = did_you_mean(data, [*installed, *(str(found) for found in path.parent.glob("*"))])
        raise DataError(f"--data {data}: there is no such folder, file or data set{near}")
    if path.is_file() and path.suffix not in FILES:
        raise DataError(f"--data {data}: expected a file {', '.join(FILES)}, or a folder")
    name = "embeddings" if path.is_file() or any(path.glob("*.parquet")) else "arrays"
    return {"name": name, "params": {"path": os.path.relpath(path, folder)}}


def _say(progress: Progress) -> None:
    page = make_console()
    if progress.new or progress.changed:
        changed = f", and {progress.changed:,} changed" if progress.changed else ""
        page.say(f"Labels:  {progress.new:,} new{changed}; {progress.labeled:,} of {progress.pool:,} samples")
    else:
        page.say(f"Labels:  {progress.labeled:,} of {progress.pool:,} samples")
    if (value := progress.metrics.get(progress.metric)) is not None:
        page.say(f"Model:   {progress.metric} {value:.3f}, {progress.measured}")
    if said := _worth(progress):
        page.say(f"Sampler: {said}")
    if progress.batch is None:
        page.say("Batch:   nothing is left to label")
    else:
        waiting = len(progress.missing)
        verb = "has" if waiting == 1 else "have"
        what = "to label" if progress.asked else f"of which {waiting:,} {verb} no label yet"
        page.say(f"Batch:   {len(progress.batch.items):,} samples, {what}: {progress.folder / 'next_batch.csv'}")


def _say_what_next(progress: Progress, fill_in: str) -> None:
    page = make_console()
    if progress.batch is not None:
        waiting = len(progress.missing)
        page.say(f"Next:    {safe(fill_in)}")
        if not progress.asked and waiting < len(progress.batch.items):
            words = command_line("query", progress.folder, "--go-on")
            these = "this one" if waiting == 1 else f"these {waiting:,}"
            page.say(f"         or without {these}: {safe(words)}")
    if progress.batch is None or progress.batch.cycle >= 0:
        page.say(f"Report:  {command_line('report', progress.folder)}")


def _worth(progress: Progress) -> str:
    """What the random share shows; empty without one."""
    from alharness.results.worth import ENOUGH

    found = progress.worth
    if found is None:
        few = (
            f"{progress.drawn:,} labels of the random share, from {ENOUGH} on they show what the sampler is worth"
        )
        return few if progress.drawn else ""
    with_labels = (
        f"{found.gain:+.3f} ({found.gain_low:+.3f} to {found.gain_high:+.3f}) with {found.labels:,} labels of each"
    )
    if not found.sure:
        return f"no sure difference from random yet: {with_labels}; 95 % interval"
    if found.gain < 0:
        return f"worse than random: {with_labels}; 95 % interval"
    low = "no bound" if found.saved_low == -math.inf else f"{found.saved_low:.0f}"
    saved = f"saves {found.saved:.0f} labels ({low} to {found.saved_high:.0f})"
    return f"better than random: {with_labels}; {saved}; 95 % intervals"
