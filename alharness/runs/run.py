"""From a spec to its finished cells."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alharness import faults
from alharness.api.executor import ExecutorContext
from alharness.api.records import Outcome, Outcomes
from alharness.errors import DataError, RunError, SpecError, TrackingError, described
from alharness.spec import resolved_yaml
from alharness.spec.plan import make_plan
from alharness.text.words import choices

from . import pooltable, saved
from .claims import Claims
from .conditions import context, differences, refusal
from .coordinator import Coordinator
from .crew import Crew
from .directory import RunDirectory
from .executors import make_executor
from .files import write
from .groups import cut
from .journal import with_format
from .loading import draw, load
from .messages import Blueprint, Wish
from .parcel import Parcel, needed
from .processes import Processes, remove_empty
from .rounds import Rounds, blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from alharness.api.executor import ExecutorPlugin
    from alharness.api.records import Cell, Plan
    from alharness.registry import Registry
    from alharness.spec import Chosen, Spec

    from .messages import Loaded
    from .rounds import Judge
    from .shards import Shard


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to run; the spec says what.

    Attributes:
        workdir: where run directories are.
        only: labels of samplers or names of cells; empty for all.
        shard: which part of the command's cells; None for all. `attempts` finds their names in each setting.
        restart: begin a cell again if its journal cannot be continued, or was finished under other conditions; the
            old journal is kept.
        keep: leave finished cells as they are, if they were made under other conditions than new ones.
        executor: starts the workers; None for processes of this machine.
        jobs: how many groups of cells run at a time; the cells of a group share a worker, and train together. None
            for as many as the executor has.
        stack: most cells of a group; None for as many as are of use on the device.
        retime: run nothing, but measure the queries of finished cells again, alone: of those measured while other
            cells were running, or of all if there are no such cells.
        again: option -> how to call it again with this option, for messages.
        stopping: whether the run is to stop as soon as the cycles that are being computed are finished.
        at_leisure: called once when a core is free before the run has ended.
    """

    workdir: Path = Path("runs")
    only: tuple[str, ...] = ()
    shard: Shard | None = None
    restart: bool = False
    keep: bool = False
    executor: Chosen[ExecutorPlugin] | None = None
    jobs: int | None = None
    stack: int | None = None
    retime: bool = False
    again: Callable[[str], str] = "alharness run SPEC --{}".format
    stopping: Callable[[], bool] = lambda: False
    at_leisure: Callable[[], None] = lambda: None


def run(
    spec: Spec, registry: Registry, options: Options, warn: Callable[[str], None], judge: Judge | None = None
) -> tuple[Plan, Outcomes]:
    """Run every cell of the spec that is not finished yet; if its seeds stop, those that are needed.

    A cell that fails does not stop the others. Ctrl-C, and whatever else raises KeyboardInterrupt, ends the run
    after the last finished cycle; the same call continues it.

    Args:
        spec: what to run.
        registry: the plugins.
        options: how.
        warn: called with what the user should know.
        judge: says which cells are needed, if the seeds of the spec stop.

    Raises:
        TrackingError: tracking was required, and is lost; what is finished is on disk.
        HarnessError: nothing could be started.
    """
    # Measured again is one cell after another, and none begins again.
    options = replace(options, jobs=1, stack=1, restart=False) if options.retime else options
    plan = make_plan(spec, options.workdir)
    for warning in plan.warnings:
        warn(warning)
    if fault := faults.wanted():
        warn(f"{faults.VARIABLE} is set: this run fails on purpose {fault}")
    emit = partial(call_observers, registry, warn)
    wanted = wanted_cells(plan, options.only)
    with ExitStack() as stack:
        claims = stack.enter_context(Claims(RunDirectory(plan.folder), warn))
        stack.callback(remove_empty, claims.directory.output())
        processes = stack.enter_context(Processes())
        found = {cell: saved.outcome_of(plan, cell) for cell in plan.cells}
        if options.retime:
            cells = _to_measure_again([found[cell] for cell in wanted], warn)
        else:
            cells = [cell for cell in wanted if found[cell].status != "ok"]
        claims.claim(cells, alone=options.retime)
        # Another process may just have finished some.
        found |= {cell: saved.outcome_of(plan, cell) for cell in cells}
        anything = bool(cells) or options.restart
        about = ExecutorContext(folder=plan.folder, warn=warn, jobs=options.jobs, memory=spec.limits.memory)
        executor = stack.enter_context(make_executor(options.executor, about)) if anything else None
        samples = stack.enter_context(claims.shared_samples()) if anything else None
        begun = [cell for cell in found if found[cell].context]
        wish = _wish(spec, plan, registry, [*next(iter(blocks(plan, cells)), ()), *begun], samples)
        if executor:
            wish = replace(wish, device=executor.device(spec.training.device))
        loaded = load(processes, wish, spec.limits, warn)
        faults.reach("claimed")
        if not options.retime:
            cells = _to_run(plan, wanted, found, loaded, options)
            claims.claim(cells)
        plan = replace(
            loaded.plan,
            jobs=executor.width if executor else 1,
            finished=_finished(found, cells),
            spec_text=resolved_yaml(spec),
        )
        parts = [cut(plan, block, options.stack) for block in blocks(plan, cells)]
        plan = replace(plan, groups=tuple(tuple(c.name for c in group) for part in parts for group in part))
        rounds = Rounds(
            plan,
            cells,
            judge if plan.stopping and not options.retime else None,
            loaded.seeds,
            lambda seeds: draw(processes, wish, loaded.dataset, seeds, limits=spec.limits, warn=warn),
            lambda look: emit("alharness_seeds_judged", run=plan, look=look),
        )
        # A plugin may give the same reason in every cycle, and in every worker: it is shown once.
        warn_once = cache(warn)
        crew = None
        if executor and cells:
            executor.open(_work(spec, wish, loaded, options), most=max(map(len, parts)))
            if options.retime and not executor.exclusive:
                raise SpecError(f"{executor.who} cannot measure queries alone: run the command without it")
            crew = Crew(executor, plan.folder, spec.limits, warn_once, options.at_leisure)
        coordinator = Coordinator(
            plan,
            claims,
            more=lambda: cut(plan, rounds.next(coordinator.outcomes), options.stack),
            seeds=rounds.seeds,
            action="retime" if options.retime else "run",
            restart=options.restart,
            exclusive=executor is None or executor.exclusive,
            stopping=options.stopping,
            emit=emit,
            warn=warn_once,
        )
        with claims.writing():
            write(plan.folder / "spec.yaml", plan.spec_text)
            saved.begin(plan, cells)
        compute = partial(crew.compute, coordinator) if crew else lambda: None
        return plan, _compute(compute, plan, claims, rounds, coordinator, found, cells, emit, warn)


def _work(spec: Spec, wish: Wish, loaded: Loaded, options: Options) -> Parcel:
    """What every worker does. Raises PluginError: the parameters of a plugin cannot be sent."""
    assert loaded.dataset is not None
    blueprint = replace(wish.blueprint.without_dataset(), stack=options.stack)
    return Parcel(blueprint, loaded.dataset, needed(spec))


def _compute(
    compute: Callable[[], None],
    plan: Plan,
    claims: Claims,
    rounds: Rounds,
    coordinator: Coordinator,
    found: Mapping[Cell, Outcome],
    cells: Collection[Cell],
    emit: Callable[..., None],
    warn: Callable[[str], None],
) -> Outcomes:
    """Run the cells, and write how they ended, whatever happens. `found` is how far they were before."""
    try:
        emit("alharness_run_started", run=plan)
        with suppress(KeyboardInterrupt):
            coordinator.proceed()
            compute()
        interrupted = coordinator.end()
    except BaseException:
        with suppress(RunError):  # the error that ended the run is the one to report
            _conclude(plan, claims, [coordinator.outcomes.get(cell, found[cell]) for cell in cells])
        raise
    ended = {cell: coordinator.outcomes.get(cell) or saved.outcome_of(plan, cell) for cell in plan.cells}
    if not interrupted:
        spared = rounds.spared(ended)
        ended, cells = ended | spared, {*cells, *spared}
        _warn_of_others(rounds.waits_for, warn)
    outcomes = Outcomes(cells=tuple(ended.values()), interrupted=interrupted)
    try:
        _conclude(plan, claims, [ended[cell] for cell in cells])
    finally:
        emit("alharness_run_finished", run=plan, record=outcomes)
    return outcomes


def _warn_of_others(names: list[str], warn: Callable[[str], None]) -> None:
    if names:
        more = f" and {len(names) - 1} more cells" if len(names) > 1 else ""
        warn(f"the next look needs {names[0]}{more}, which this command leaves out; run all that are needed")


def is_finished(spec: Spec, plan: Plan, options: Options) -> bool:
    """Whether nothing is left to do: the run directory holds what this spec asks for, and all of it is complete.

    It reads no data, and no tracker hears of it again.
    """
    if options.retime or options.restart:
        return False
    try:
        before, outcomes = saved.load(plan.folder)
    except RunError:
        return False
    complete = {outcome.cell.name for outcome in outcomes if outcome.status in ("ok", "spared")}
    same = before.cells == plan.cells and before.spec_text == resolved_yaml(spec)
    return same and all(cell.name in complete for cell in wanted_cells(plan, options.only))


def wanted_cells(plan: Plan, only: tuple[str, ...]) -> list[Cell]:
    """The cells of these labels and names, or all. Raises SpecError if the plan has none of a name."""
    names = dict.fromkeys([*(cell.label for cell in plan.cells), *(cell.name for cell in plan.cells)])
    for name in only:
        if name not in names:
            raise SpecError(f"only {name}: the spec has no such sampler or cell{choices(name, names)}")
    chosen = set(only)
    return [cell for cell in plan.cells if not only or {cell.label, cell.name} & chosen]


def _to_measure_again(outcomes: list[Outcome], warn: Callable[[str], None]) -> list[Cell]:
    queried = [outcome for outcome in outcomes if not outcome.cell.reference]
    complete = [outcome for outcome in queried if outcome.status == "ok"]
    if left := len(queried) - len(complete):
        warn(f"{left} cells are not finished and are left alone; complete them first")
    shared = [outcome for outcome in complete if outcome.timing == "shared"]
    return [outcome.cell for outcome in shared or complete]


def _wish(spec: Spec, plan: Plan, registry: Registry, cells: Collection[Cell], samples: Path | None) -> Wish:
    dataset, model = spec.dataset, spec.model
    return Wish(
        blueprint=Blueprint(
            extras=registry.extras.without("tracker"),
            model=model.name,
            model_params=model.params,
            sampler_params={sampler.label: sampler.params for sampler in spec.samplers},
            training=spec.training,
            schedule=plan.schedule,
            initial=(spec.initial.name, spec.initial.params) if spec.initial else None,
        ),
        plan=plan,
        dataset=dataset.name,
        params=dataset.params,
        who=f"the data set {dataset.name!r} of {dataset.registered.origin}",
        seeds=tuple({cell.seed for cell in cells}),
        recipe={
            "model": [model.name, dict(model.plain), model.registered.identity],
            "training": spec.training.recipe,
        },
        samples=samples,
        spec_folder=spec.folder,
    )


def _to_run(
    plan: Plan, wanted: list[Cell], found: Mapping[Cell, Outcome], loaded: Loaded, options: Options
) -> list[Cell]:
    """The cells that are not finished; with --restart also those that new ones would differ from in conditions.

    Cells that were begun under other conditions, and are not finished, fail by themselves.

    Raises:
        SpecError: new cells would be mixed with finished ones that differ, and neither --keep nor --restart says
            what to do with these.
        DataError: the data have changed, and neither of the two is given.
    """
    unfinished = {cell for cell in wanted if found[cell].status != "ok"}
    contexts = {cell: outcome.context for cell, outcome in found.items() if outcome.context}
    other_data = {cell for cell, was in contexts.items() if was.get("data") != loaded.data}
    old = {cell: was for cell, was in contexts.items() if cell in other_data or cell not in unfinished}
    new = {cell: with_format(context(plan, cell, loaded.seeds[cell.seed])) for cell in old}
    changed = differences(old, new)
    if other_data and (options.keep or options.restart):
        (plan.folder / pooltable.NAME).unlink(missing_ok=True)  # the next run writes that of the new
    if changed and (other_data or unfinished) and not (options.keep or options.restart):
        raise (DataError if other_data else SpecError)(refusal(plan.folder, changed, options.again))
    restarted = {cell for cells in changed.values() for cell in cells} if options.restart else set()
    return [cell for cell in wanted if cell in unfinished | restarted]


def _finished(found: Mapping[Cell, Outcome], cells: Collection[Cell]) -> dict[str, int]:
    """Name of a cell -> cycles that earlier runs finished; none of one that is complete and runs all the same."""
    again = {cell for cell in cells if found[cell].status == "ok"}
    return {cell.name: 0 if cell in again else len(outcome.cycles) for cell, outcome in found.items()}


def _conclude(plan: Plan, claims: Claims, outcomes: list[Outcome]) -> None:
    """Write how the cells ended. Raises RunError if the disk is full."""
    with claims.writing():
        faults.reach("ended")
        saved.conclude(plan, outcomes)


def call_observers(registry: Registry, warn: Callable[[str], None], hook: str, **records: Any) -> None:
    """Call a hook of every observer; one that fails is named, and the others are called all the same.

    Raises:
        TrackingError: tracking was required, and is not there.
    """
    manager = registry.manager
    observers = [plugin for _, plugin in manager.list_name_plugin() if plugin is not None]
    for observer in observers:
        others = [other for other in observers if other is not observer]
        try:
            manager.subset_hook_caller(hook, others)(**records)
        except (KeyboardInterrupt, TrackingError):
            raise
        except BaseException as bug:  # noqa: BLE001 - a run is worth more than its observer
            warn(f"the observer {manager.get_name(observer)} failed: {described(bug)}")
