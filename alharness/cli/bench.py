"""`alharness bench`: how query time and memory grow with the pool."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import click

from alharness.api.parts import needs_whole
from alharness.api.vocabulary import Feature, Task
from alharness.errors import SamplerError, SpecError
from alharness.pools import held
from alharness.text.numbers import fixed, significant

from .options import chosen_executor, executor_params_option, include_option, load_plugins
from .page import make_console, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .growth import Point, Precision

PARTS = 4


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
@click.option(
    "--parts",
    type=click.IntRange(1, 10_000),
    help="Cut every pool into so many parts, each with a worker of its own; 4 with --executor.",
)
@click.option(
    "--executor",
    metavar="NAME",
    help="What starts the workers of the parts, as in `alharness plugins`. Default: all parts in this process.",
)
@executor_params_option
@click.option(
    "--precision",
    type=click.Choice(["float16", "float32"]),
    default="float32",
    show_default=True,
    help="How the inputs of pools in parts are stored.",
)
@include_option
def bench(
    names: tuple[str, ...],
    sizes: str,
    labeled: int,
    budget: int,
    task: str,
    model: str,
    parts: int | None,
    executor: str | None,
    executor_params: tuple[str, ...],
    precision: Precision,
    include: tuple[Path, ...],
) -> None:
    """Query each SAMPLER on growing synthetic pools.

    By default these are all that are installed, except families such as skactiveml/. SAMPLER may be a family.

    Prints query seconds with their parts, the growth of resident memory, and the exponent b of seconds ~ size^b:
    1 is linear. One query per size; run it on an idle machine. For example:

    \b
        alharness bench
        alharness bench coreset grace --sizes 2000,4000,8000,16000 --budget 500
        alharness bench badge skactiveml
        alharness bench coreset entropy --sizes 1000000 --executor ray --parts 8 --precision float16

    With --parts or --executor, pools are in parts: nothing that the command itself holds grows with the pool, and
    memory is that of the worker which takes most. Samplers that have no pools in parts are left out.
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    wanted = _sizes(sizes, budget)
    installed = load_plugins(include)
    chosen = [installed.sampler(name) for name in _named(names, sorted(installed.samplers))]
    plugins = [registered.plugin for registered in chosen]
    used = {*(registered.distribution for registered in chosen), installed.model(model).distribution}
    place = chosen_executor(executor, executor_params, installed)
    in_parts = parts is not None or place is not None
    unable = {plugin.name: f"it does not serve {task}" for plugin in plugins if task not in plugin.tasks}
    controls = {plugin.name for plugin in plugins if Feature.TRUTH in plugin.features(plugin.params())}
    unable |= dict.fromkeys(controls, "it is a control, and this pool comes without truth")
    if in_parts:
        made = {plugin.name: plugin.make(plugin.params()) for plugin in plugins}
        unable |= {name: reason for name, sampler in made.items() if (reason := needs_whole(sampler))}
    able = [plugin for plugin in plugins if plugin.name not in unable]
    if not able:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in unable.items())
        raise SpecError(f"these samplers cannot be measured: {reasons}; see alharness plugins")
    if in_parts and wanted[0] < (parts or PARTS):
        raise SpecError(f"--sizes {sizes}: a pool of {wanted[0]} cannot be cut into {parts or PARTS} parts")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as in `run`
    from . import growth

    work = growth.Workload(sizes=wanted, labeled=labeled, budget=budget, task=Task(task))
    page = make_console()
    points = []
    found = (
        growth.measure_in_parts(
            able,
            installed.model(model).plugin,
            work,
            partial(held, place, distributions=used),
            parts=parts or PARTS,
            precision=precision,
        )
        if in_parts
        else growth.measure(able, installed.model(model).plugin, work)
    )
    for point in found:
        if isinstance(point, growth.Failure):
            unable[point.sampler] = f"with {point.size:,} samples, {point.reason}"
            continue
        points.append(point)
        page.print(f"{point.sampler} at {point.size:,}: {significant(point.cost['query_seconds'])} s", style="dim")
    if not points:
        raise SamplerError("; ".join(f"{name}: {reason}" for name, reason in unable.items()))
    headings = ("sampler", "pool", "query s", "inference", "gradients", "selection", "memory +MiB", "exponent")
    page.print(make_table(headings, _rows(points)))
    page.print("synthetic data; one query per size", style="dim")
    if in_parts:
        most = max(point.cost["cpu_peak_increase_mib"] for point in points)
        page.print(
            f"memory is that of a part's worker; this process took {fixed(most)} MiB more, at most", style="dim"
        )
    for name, reason in unable.items():
        page.print(f"skipped: {name}: {reason}")


def _named(names: Sequence[str], installed: Sequence[str]) -> Iterator[str]:
    """The samplers that these names mean: without any, all but those of families; of a family, all of it."""
    if not names:
        yield from (name for name in installed if "/" not in name)
    for name in names:
        kin = [known for known in installed if known.startswith(f"{name}/")]
        yield from kin if kin and name not in installed else [name]


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
                fixed(point.cost.get("part_cpu_peak_increase_mib", point.cost["cpu_peak_increase_mib"])),
                significant(growth) if point is mine[-1] and len(mine) > 1 else "",
            )
