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
from alharness.spec.plan import FEW_SEEDS
from alharness.text.numbers import significant, time_in_words
from alharness.text.redaction import redact
from alharness.text.terminal import plain, safe
from alharness.text.words import NOTICE, command_line, grouped

from .grid import show_plans, trainings
from .options import (
    PATH,
    chosen_executor,
    executor_option,
    executor_params_option,
    include_option,
    load_plugins,
    set_option,
    workdir_option,
)
from .page import make_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alharness.api.records import Plan
    from alharness.registry import Registry
    from alharness.runs.prediction import Prediction
    from alharness.spec import Spec


@click.command
@click.argument("path", metavar="[SPEC]", type=PATH, required=False)
@set_option("Change a value of the spec, or set a parameter of the plugin.")
@click.option(
    "--plugin", metavar="NAME", help="Check a plugin in place of a spec: does it do what its kind promises?"
)
@include_option
@workdir_option("Where run directories would be kept.")
@click.option(
    "--jobs", "-j", type=click.IntRange(1, 1024), default=1, show_default=True, help="Expect so many at a time."
)
@executor_option
@executor_params_option
@click.option(
    "--trial", is_flag=True, help="If no earlier run here says how long it takes: measure some epochs and queries."
)
def check(
    path: Path | None,
    assignments: tuple[str, ...],
    include: tuple[Path, ...],
    workdir: Path,
    *,
    plugin: str | None,
    jobs: int,
    executor: str | None,
    executor_params: tuple[str, ...],
    trial: bool,
) -> None:
    """Check SPEC, a file or the name of one in specs/, and show its plan, without training.

    Types, plugins, what each sampler needs and the model provides, the data set's files, the device, where results
    go, the labels of every cycle, and how long it takes, as earlier runs or a trial say. It lists all mistakes of
    the file at once, each with line and column. Of a spec with a matrix it shows all settings. For example:

    \b
        alharness check specs/openclipart.yaml
        alharness check specs/openclipart.yaml --set seeds=3 --set samplers.5.params.alpha0=0.5
        alharness check specs/openclipart.yaml --jobs 2 --trial
        alharness check specs/first_grid.yaml
        alharness check --plugin margin --set source=text
    """  # noqa: D301  \b is click's mark for lines that stay as they are
    plugins = load_plugins(include)
    if (path is None) == (plugin is None):
        raise click.UsageError("give a spec to check, or --plugin NAME", click.get_current_context())
    if plugin is not None:
        if executor or executor_params or trial or jobs > 1:
            raise click.UsageError(
                "--executor, -x, --jobs and --trial are for specs; --set gives a plugin its parameters"
            )
        from .kits import check_plugin

        check_plugin(plugin, assignments, plugins)
        return
    assert path is not None
    chosen = chosen_executor(executor, executor_params, plugins)
    specs = load_all(find_spec(path), plugins, assignments)
    plans = make_plans(specs, workdir)
    if chosen is None:  # others may have other devices
        for device in {spec.training.device for spec in specs}:
            _require_device(device)
    for plan in plans:
        _require_writable(plan.folder)
    if any(plan.synthetic for plan in plans):
        click.secho(f"{NOTICE}\n", fg="yellow", bold=True)
    times = _times(specs, plans, plugins, jobs=jobs, trial=trial)
    if len(specs) == 1:
        more = [("time", time_of_all(times, jobs)), ("can show", _can_show(plans[0], trial=trial))]
        click.echo(make_list(plans[0].name, [*_summary(specs[0], plans[0]), *more]))
        click.echo(make_list("samplers", _samplers(specs[0], plans[0])))
    else:
        show_plans(specs, plans)
        click.echo(make_list("together", [("time", time_of_all(times, jobs))]))
    said = grouped((warning, plan.name) for plan in plans for warning in (*plan.warnings, *plan.tracking))
    for warning, names in said.items():
        click.secho(f"warning: {safe(warning)}{in_settings(names, len(plans))}\n", fg="yellow")
    changes = [word for assignment in assignments for word in ("--set", redact(assignment))]
    changes += [word for file in include for word in ("--include", str(file))]
    if chosen:
        changes += ["--executor", chosen.name]
        changes += [word for assignment in executor_params for word in ("-x", redact(assignment))]
    elsewhere = [] if workdir == Path("runs") else ["--workdir", workdir]
    click.echo(plain(f"Nothing is wrong. Start it with: {command_line('run', path, *changes, *elsewhere)}"))


def _summary(spec: Spec, plan: Plan) -> Iterator[tuple[str, str]]:
    facts, labeled, queries = plan.facts, plan.schedule.labeled, len(plan.schedule.sizes)
    assert facts is not None  # only plans that earlier versions saved have none
    train, valid, test = facts.sizes
    made_up = ", SYNTHETIC" if facts.synthetic else ""
    lacking = f"; samples may lack {' or '.join(facts.incomplete)}" if facts.incomplete else ""
    yield "data set", f"{spec.dataset.name} ({_from(spec.dataset.registered.origin)}): {facts.task}{made_up}"
    yield "", f"{', '.join(facts.modalities)}; {train:,} train, {valid:,} valid, {test:,} test{lacking}"
    if facts.unlabeled:
        yield "", f"{facts.unlabeled:,} more without a label, which take no part"
    yield "model", f"{spec.model.name} ({_from(spec.model.registered.origin)})"
    asked = f"{_count(queries, 'query', 'queries')} of {spec.active_learning.budget:,}"
    yield "labels", f"{labeled[0]:,} -> {labeled[-1]:,} in {asked}"
    if spec.initial:
        yield (
            "",
            f"the first {labeled[0]:,} chosen by {spec.initial.name} ({spec.initial.registered.distribution})",
        )
    seeds, references = len(spec.seeds), sum(cell.reference for cell in plan.cells)
    cells = len(plan.cells) - references
    more = f", and {references:,} with all {train:,} labels" if references else ""
    samplers = len(plan.labels)
    again = f", {cells - samplers * seeds:,} more of {RANDOM}" if cells > samplers * seeds else ""
    yield "cells", f"{cells:,}: {_count(samplers, 'sampler')} x {_count(seeds, 'seed')}{again}{more}"
    yield "trainings", f"{trainings(plan):,}"
    if rule := plan.stopping:
        least = len(plan.cells) * rule.at_least // seeds
        yield "seeds", f"until decided, from {rule.at_least} to {seeds} in blocks of {rule.block}"
        yield "", f"at least {least:,} of the cells, at most all {len(plan.cells):,}"
    yield "run directory", plan.experiment
    trackers = [f"{tracker.name} ({_from(tracker.registered.origin)})" for tracker in spec.trackers]
    yield "tracking", ", ".join(trackers) or "none"


def _times(
    specs: Sequence[Spec], plans: Sequence[Plan], plugins: Registry, *, jobs: int, trial: bool
) -> list[Prediction | None]:
    """How long each setting takes; None if that is not known."""
    workdir = plans[0].folder.parent
    if not trial and not any(workdir.glob("*/run.json")):
        return [None] * len(plans)
    from alharness.runs.prediction import History, try_out

    history = History(workdir)
    found = [history.known(spec, plan) for spec, plan in zip(specs, plans, strict=True)]
    if trial:
        found = [known or try_out(spec, plugins) for known, spec in zip(found, specs, strict=True)]
    return [known.predict(plan, jobs=jobs) if known else None for known, plan in zip(found, plans, strict=True)]


def _can_show(plan: Plan, *, trial: bool) -> str:
    """The differences to Random that the seeds will show in four of five experiments."""
    seeds = len({cell.seed for cell in plan.cells})
    randoms = [cell for cell in plan.cells if cell.sampler == RANDOM]
    samplers = len(plan.labels) - len(plan.controls) - 1
    if not randoms or not samplers:
        return "nothing: no sampler is compared with Random"
    if seeds < FEW_SEEDS:
        return f"nothing: a test needs {FEW_SEEDS} seeds"
    if not trial and not (plan.folder / "run.json").exists():
        return "not known before some seeds are there; --trial says it in standard deviations"
    # What follows imports numpy and scipy, which takes as long as all of this.
    from alharness.results.planning import can_show, can_show_at_all
    from alharness.results.run import RunResults

    if (plan.folder / "run.json").exists():
        results = RunResults.read(plan.folder, with_pool=False)
        if found := can_show(results, seeds):
            low, high = (significant(size, 2) for size in found)
            size = low if low == high else f"{low} to {high}"
            return f"areas of {results.metric} that differ from Random's by {size}, if the noise stays as it is"
    replicates = max(cell.replicate for cell in randoms)
    size = significant(can_show_at_all(samplers, replicates, seeds, plan.statistics), 2)
    return f"areas that differ from Random's by {size} standard deviations within a seed"


def time_of_all(times: Sequence[Prediction | None], jobs: int) -> str:
    """The time that all settings take."""
    known = [time for time in times if time]
    if len(known) < len(times):
        some = "" if len(times) == 1 else f" of {len(times) - len(known)} settings"
        return f"not known{some}: no earlier run here is like it; --trial measures some epochs and queries"
    if not (seconds := sum(time.seconds for time in known)):
        return "none: all is finished"
    sources = [*dict.fromkeys(time.source for time in known)]
    more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
    words = f"{time_in_words(seconds)}{f' with --jobs {jobs}' if jobs > 1 else ''}, {sources[0]}{more}"
    return f"at most {words}, in which no training stops early" if any(time.at_most for time in known) else words


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _samplers(spec: Spec, plan: Plan) -> Iterator[tuple[str, str]]:
    reasons = {skip.label: skip.reason for skip in plan.skips}
    for sampler in spec.samplers:
        name = sampler.label if sampler.label == sampler.name else f"{sampler.label} ({sampler.name})"
        skipped = reasons.get(sampler.label)
        control = "; a control, never ranked" if sampler.label in plan.controls else ""
        yield name, f"skipped: {safe(skipped)}" if skipped else f"{_from(sampler.registered.origin)}{control}"


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
