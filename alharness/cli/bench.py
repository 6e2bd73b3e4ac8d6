"""`alharness bench`: how query time and memory grow with the pool."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from alharness.api.vocabulary import Task
from alharness.errors import SpecError
from alharness.text.numbers import fixed, significant

from .options import include_option, load_plugins
from .page import make_console, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .growth import Point


@click.command
@click.argument("names", metavar="[SAMPLER]...", nargs=-1)
@click.option(
    "--sizes",
    default="1000,2000,4000,8000",
    show_default=True,
    help="Numbers of unlabeled samples, separated by commas.",
)
@click.option("--labeled", default=200, show_default=True, type=click.IntRange(1), help="Labeled samples.")
@click.option("--budget", default=100, show_default=True, type=click.IntRange(1), help="Samples to choose.")
@click.option("--task", type=click.Choice([*map(str, Task)]), default=str(Task.CLASSIFICATION), show_default=True)
@click.option("--model", default="late_fusion", show_default=True, help="Task model.")
@include_option
def bench(
    names: tuple[str, ...], sizes: str, labeled: int, budget: int, task: str, model: str, include: tuple[Path, ...]
) -> None:
    """Query each SAMPLER (by default all that are installed) on growing synthetic pools.

    Prints query seconds with their parts, the growth of resident memory, and the exponent b of seconds ~ size^b:
    1 is linear. One query per size; run it on an idle machine. For example:

    \b
        alharness bench
        alharness bench coreset grace --sizes 2000,4000,8000,16000 --budget 500
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    wanted = _sizes(sizes, budget)
    installed = load_plugins(include)
    plugins = [installed.sampler(name).plugin for name in names or sorted(installed.samplers)]
    able = [plugin for plugin in plugins if task in plugin.tasks]
    if not able:
        raise SpecError(f"none of these samplers serves {task}; see alharness plugins")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as in `run`
    from . import growth

    work = growth.Workload(sizes=wanted, labeled=labeled, budget=budget, task=Task(task))
    page = make_console()
    points = []
    for point in growth.measure(able, installed.model(model).plugin, work):
        points.append(point)
        page.print(f"{point.sampler} at {point.size:,}: {significant(point.cost['query_seconds'])} s", style="dim")
    headings = ("sampler", "pool", "query s", "inference", "gradients", "selection", "memory +MiB", "exponent")
    page.print(make_table(headings, _rows(points)))
    page.print("synthetic data; one query per size", style="dim")
    for plugin in plugins:
        if plugin not in able:
            page.print(f"skipped: {plugin.name}: it does not serve {task}")


def _sizes(text: str, budget: int) -> tuple[int, ...]:
    try:
        sizes = tuple(sorted({int(part) for part in text.replace("_", "").split(",")}))
    except ValueError as error:
        raise SpecError(
            f"--sizes {text}: expected whole numbers with commas between, such as 1000,2000"
        ) from error
    if sizes[0] < budget:
        raise SpecError(f"--sizes {text}: a pool of {sizes[0]} is smaller than the budget of {budget}")
    return sizes


def _rows(points: list[Point]) -> Iterator[tuple[str, ...]]:
    from .growth import exponent

    for name in dict.fromkeys(point.sampler for point in points):
        mine = [point for point in points if point.sampler == name]
        growth = exponent([p.size for p in mine], [p.cost["query_seconds"] for p in mine])
        for point in mine:
            parts = [point.cost[f"query_{part}_seconds"] for part in ("inference", "gradients", "selection")]
            yield (
                name if point is mine[0] else "",
                f"{point.size:,}",
                *map(significant, (point.cost["query_seconds"], *parts)),
                fixed(point.cost["cpu_peak_increase_mib"]),
                significant(growth) if point is mine[-1] and len(mine) > 1 else "",
            )
