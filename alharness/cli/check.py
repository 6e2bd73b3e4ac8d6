"""`alharness check`: everything that can be known about a spec without training."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alharness.api.plan import RANDOM
from alharness.errors import SpecError
from alharness.spec import load_all
from alharness.spec.finding import find_spec
from alharness.spec.grid import in_settings, make_plans
from alharness.text.redaction import redact
from alharness.text.terminal import plain, safe
from alharness.text.words import NOTICE, command_line, grouped

from .grid import show_plans, trainings
from .options import include_option, load_plugins, set_option, spec_argument, workdir_option
from .page import make_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alharness.api.records import Plan
    from alharness.spec import Spec


@click.command
@spec_argument
@set_option()
@include_option
@workdir_option("Where run directories would be kept.")
def check(path: Path, assignments: tuple[str, ...], include: tuple[Path, ...], workdir: Path) -> None:
    """Check SPEC, a file or the name of one in specs/, and show its plan, without training.

    Types, plugins, what each sampler needs and the model provides, the data set's files, the device, where results
    go, and the labels of every cycle. It lists all mistakes of the file at once, each with line and column. Of a
    spec with a matrix it shows all settings. For example:

    \b
        alharness check specs/digits_quick.yaml
        alharness check specs/digits_quick.yaml --set seeds=3 --set samplers.1.params.k=5
        alharness check specs/digits_grid.yaml
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    specs = load_all(find_spec(path), load_plugins(include), assignments)
    plans = make_plans(specs)
    for device in {spec.training.device for spec in specs}:
        _require_device(device)
    for plan in plans:
        _require_writable(workdir / plan.experiment)
    if any(plan.synthetic for plan in plans):
        click.secho(f"{NOTICE}\n", fg="yellow", bold=True)
    if len(specs) == 1:
        click.echo(make_list(plans[0].name, _summary(specs[0], plans[0])))
        click.echo(make_list("samplers", _samplers(specs[0], plans[0])))
    else:
        show_plans(specs, plans)
    said = grouped((warning, plan.name) for plan in plans for warning in (*plan.warnings, *plan.tracking))
    for warning, names in said.items():
        click.secho(f"warning: {safe(warning)}{in_settings(names, len(plans))}\n", fg="yellow")
    changes = [word for assignment in assignments for word in ("--set", redact(assignment))]
    changes += [word for file in include for word in ("--include", str(file))]
    elsewhere = [] if workdir == Path("runs") else ["--workdir", workdir]
    click.echo(plain(f"Nothing is wrong. Start it with: {command_line('run', path, *changes, *elsewhere)}"))


def _summary(spec: Spec, plan: Plan) -> Iterator[tuple[str, str]]:
    facts, labeled, queries = plan.facts, plan.schedule.labeled, len(plan.schedule.sizes)
    assert facts is not None  # only plans that earlier versions saved have none
    train, valid, test = facts.sizes
    made_up = ", SYNTHETIC" if facts.synthetic else ""
    yield "data set", f"{spec.dataset.name} ({_from(spec.dataset.registered.origin)}): {facts.task}{made_up}"
    yield "", f"{', '.join(facts.modalities)}; {train:,} train, {valid:,} valid, {test:,} test"
    yield "model", f"{spec.model.name} ({_from(spec.model.registered.origin)})"
    asked = f"{_count(queries, 'query', 'queries')} of {spec.active_learning.budget:,}"
    yield "labels", f"{labeled[0]:,} -> {labeled[-1]:,} in {asked}"
    seeds, references = len(spec.seeds), sum(cell.reference for cell in plan.cells)
    cells = len(plan.cells) - references
    more = f", and {references:,} with all {train:,} labels" if references else ""
    samplers = len(plan.labels)
    again = f", {cells - samplers * seeds:,} more of {RANDOM}" if cells > samplers * seeds else ""
    yield "cells", f"{cells:,}: {_count(samplers, 'sampler')} x {_count(seeds, 'seed')}{again}{more}"
    yield "trainings", f"{trainings(plan):,}"
    yield "run directory", plan.experiment
    trackers = [f"{tracker.name} ({_from(tracker.registered.origin)})" for tracker in spec.trackers]
    yield "tracking", ", ".join(trackers) or "none"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _samplers(spec: Spec, plan: Plan) -> Iterator[tuple[str, str]]:
    reasons = {skip.label: skip.reason for skip in plan.skips}
    for sampler in spec.samplers:
        name = sampler.label if sampler.label == sampler.name else f"{sampler.label} ({sampler.name})"
        skipped = reasons.get(sampler.label)
        yield name, f"skipped: {safe(skipped)}" if skipped else _from(sampler.registered.origin)


def _from(origin: str) -> str:
    return origin.replace("==", " ")


def _require_device(device: str) -> None:
    """Raise DataError if the spec names a device that is not here.

    Only for a device that is named: `auto` takes what there is, and torch takes seconds to ask.
    """
    if device not in ("auto", "cpu"):
        from alharness.engine.contexts import choose_device

        choose_device(device)


def _require_writable(path: Path) -> None:
    """Raise SpecError if this folder, which need not be there, could not be made or written to."""
    nearest = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    if not nearest.is_dir():
        reason = errno.ENOTDIR
    elif not os.access(nearest, os.W_OK | os.X_OK):
        reason = errno.EACCES
    else:
        return
    raise SpecError(f"{path}: cannot be written to ({os.strerror(reason)}); choose another --workdir")
