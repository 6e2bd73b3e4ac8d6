"""From a spec to its finished cells: the one place that takes a spec apart."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from alharness.api.records import Outcome, Outcomes
from alharness.errors import DataError, RunError, SpecError, TrackingError, described
from alharness.runs import description, pooltable
from alharness.spec import resolved_yaml
from alharness.spec.plan import make_plan
from alharness.text.words import did_you_mean

from .conditions import differences, identity, refusal
from .directory import RunDirectory
from .experiment import Experiment, Part
from .files import explain, write
from .loading import load
from .messages import OUTPUT, Loaded, Wish
from .processes import Processes, remove_empty
from .workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from alharness.api.records import Cell, CycleRecord, Ended, Plan
    from alharness.registry import Registry
    from alharness.spec import Chosen, Spec


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to run, as against what.

    Attributes:
        workdir: where run directories lie.
        only: labels of samplers or names of cells; empty for all.
        restart: begin a cell again if its journal cannot be continued, or was finished under other conditions; the
            old journal is kept.
        keep: leave finished cells as they are, if they were made under other conditions than new ones.
        jobs: how many cells run at a time.
        retime: run nothing, but measure the queries of finished cells again, alone: of those measured while others
            were running, or of all if there are no such cells.
        again: option -> how to call it again with this option, for messages.
    """

    workdir: Path = Path("runs")
    only: tuple[str, ...] = ()
    restart: bool = False
    keep: bool = False
    jobs: int = 1
    retime: bool = False
    again: Callable[[str], str] = "alharness run SPEC --{}".format


def run(spec: Spec, registry: Registry, options: Options, warn: Callable[[str], None]) -> tuple[Plan, Outcomes]:
    """Run every cell of the spec that is not finished yet.

    A cell that fails does not stop the others. Ctrl-C, and whatever else raises KeyboardInterrupt, ends the run
    after the last finished cycle; the same call continues it.

    Raises:
        TrackingError: tracking was required, and is lost; what is finished is on disk.
        HarnessError: nothing could be started.
    """
    plan = make_plan(spec, options.workdir)
    for warning in plan.warnings:
        warn(warning)
    wanted = _wanted(plan, options.only)
    directory = RunDirectory(plan.folder)
    with ExitStack() as stack:
        stack.enter_context(directory.entered(warn))
        stack.callback(remove_empty, directory.path / OUTPUT)
        processes = stack.enter_context(Processes())
        session = _Session(spec, plan, registry, directory, options, warn)
        records = {cell: session.on_disk(cell) for cell in plan.cells}
        if options.retime:
            cells = _to_measure_again([records[cell] for cell in plan.cells if cell in wanted], warn)
        else:
            cells = [cell for cell in plan.cells if cell in wanted and records[cell].status != "ok"]
        directory.claim(cells, alone=options.retime)
        samples = stack.enter_context(directory.shared_samples()) if cells or options.restart else None
        session.load(processes, samples, seeds={cell.seed for cell, record in records.items() if record.context})
        records |= {cell: session.on_disk(cell) for cell in cells}  # another process may just have finished some
        if options.retime:
            again = set(cells)
        else:
            cells = [cell for cell in cells if records[cell].status != "ok"]
            again = session.settle_conditions(records.values(), set(cells)) & wanted
            cells = [cell for cell in plan.cells if cell in again or cell in cells]
            directory.claim(cells)
        finished = {cell.name: 0 if cell in again else len(record.cycles) for cell, record in records.items()}
        session.run = replace(session.run, finished=finished)
        session.begin(cells)
        interrupted = False
        try:
            session.emit("alharness_run_started", run=session.run)
            for cell, ended in session.execute(processes, cells):
                records[cell] = replace(session.on_disk(cell), status=ended.status, error=ended.error)
                session.emit("alharness_cell_ended", run=session.run, record=records[cell])
                interrupted = interrupted or ended.status == "interrupted"
        except BaseException:
            with suppress(RunError):  # the error that ended the run is the one to report
                session.conclude([records[cell] for cell in cells])
            raise
        records |= {cell: session.on_disk(cell) for cell in plan.cells if cell not in cells}
        record = Outcomes(cells=tuple(records[cell] for cell in plan.cells), interrupted=interrupted)
        try:
            session.conclude([records[cell] for cell in cells])
        finally:
            session.emit("alharness_run_finished", run=session.run, record=record)
    return session.run, record


class _Session:
    """One call of `run`: the parts that its cells need."""

    run: Plan
    _loaded: Loaded

    def __init__(
        self,
        spec: Spec,
        plan: Plan,
        registry: Registry,
        directory: RunDirectory,
        options: Options,
        warn: Callable[[str], None],
    ) -> None:
        self._spec, self._plan, self._registry = spec, plan, registry
        self._directory, self._options, self._warn = directory, options, warn
        self._experiment = _experiment(spec, plan, directory)

    def load(self, processes: Processes, samples: Path | None, seeds: set[int]) -> None:
        """Have the data set made, and learn what a run must know of it.

        Args:
            processes: starts the process in which it is made.
            samples: folder for what workers share; None if there is nothing to run.
            seeds: those of cells on disk.
        """
        spec, plan = self._spec, self._plan
        assert plan.facts is not None
        wish = Wish(
            part=_part(spec.dataset),
            facts=plan.facts,
            experiment=self._experiment,
            seeds=tuple(seeds),
            samples=samples,
            spec_folder=spec.folder,
        )
        self._loaded = load(processes, self._registry.extras, wish, spec.limits, self._warn)
        self.run = _completed(plan, spec, self._loaded, self._options.jobs)

    def begin(self, cells: list[Cell]) -> None:
        """Write what was asked for. Raises RunError if the disk is full."""
        try:
            with self._directory.writing():
                write(self._directory.path / "spec.yaml", self.run.spec_text)
                description.begin(self.run, cells)
        except OSError as error:
            raise RunError(explain(error, self._directory.path)) from error

    def conclude(self, records: list[Outcome]) -> None:
        """Write how the cells ended. Raises RunError if the disk is full."""
        try:
            with self._directory.writing():
                description.conclude(self.run, records)
        except OSError as error:
            raise RunError(explain(error, self._directory.path)) from error

    def settle_conditions(self, records: Iterable[Outcome], to_run: set[Cell]) -> set[Cell]:
        """The finished cells that are to run again, since new ones would be made under other conditions.

        Args:
            records: all cells, as they are on disk.
            to_run: cells that are not finished. Those begun under other conditions fail by themselves.

        Raises:
            SpecError: new cells would stand next to finished ones that differ, and neither --keep nor --restart
                says what is to become of these.
            DataError: the data have changed, and neither of the two is given.
        """
        name, shared, seeds = self._experiment.name, self._loaded.context, self._loaded.seeds
        contexts = {record.cell: record.context for record in records if record.context}
        other_data = {cell for cell, context in contexts.items() if context.get("data") != shared["data"]}
        old = {cell: context for cell, context in contexts.items() if cell in other_data or cell not in to_run}
        new = {cell: {**identity(name, cell), **shared, **seeds[cell.seed]} for cell in old}
        found = differences(old, new)
        if other_data and (self._options.keep or self._options.restart):
            (self._directory.path / pooltable.NAME).unlink(missing_ok=True)  # the next run writes that of the new
        if self._options.restart:
            return {cell for cells in found.values() for cell in cells} - to_run
        if found and (other_data or to_run) and not self._options.keep:
            raise (DataError if other_data else SpecError)(
                refusal(self._directory.path, found, self._options.again)
            )
        return set()

    def on_disk(self, cell: Cell) -> Outcome:
        """The cell as its journal has it: complete, or pending."""
        record, _ = description.record_of(cell, self._directory.cell(cell), self._plan.labeled(cell))
        return record

    def execute(self, processes: Processes, cells: list[Cell]) -> Iterator[tuple[Cell, Ended]]:
        """Run these cells, or measure them again, and tell how each ended. An interruption ends it."""
        options = self._options
        jobs = 1 if options.retime else min(options.jobs, len(cells))
        extras, samples = self._registry.extras, self._loaded.samples
        workers = Workers(processes, extras, self._experiment, samples, self._spec.limits, jobs=jobs)
        action: Literal["run", "retime"] = "retime" if options.retime else "run"
        yield from workers.run(cells, self._finished, _once(self._warn), action=action, restart=options.restart)

    def emit(self, hook: str, **records: Any) -> None:
        """Call a hook of every observer; one that fails is named and the others are called all the same.

        Raises:
            TrackingError: tracking was required, and is not there.
        """
        manager = self._registry.manager
        observers = [plugin for _, plugin in manager.list_name_plugin() if plugin is not None]
        for observer in observers:
            others = [other for other in observers if other is not observer]
            try:
                manager.subset_hook_caller(hook, others)(**records)
            except (KeyboardInterrupt, TrackingError):
                raise
            except BaseException as bug:  # noqa: BLE001 - a run is worth more than its observer
                self._warn(f"the observer {manager.get_name(observer)} failed: {described(bug)}")

    def _finished(self, cell: Cell, cycle: CycleRecord) -> None:
        self._directory.require_held()
        self.emit("alharness_cycle_finished", run=self.run, cell=cell, cycle=cycle)


def _once(warn: Callable[[str], None]) -> Callable[[str], None]:
    """The same, but nothing twice: a plugin may give the same reason in every cycle, and in every worker."""
    told: set[str] = set()

    def tell(text: str) -> None:
        if text not in told:
            told.add(text)
            warn(text)

    return tell


def _to_measure_again(records: list[Outcome], warn: Callable[[str], None]) -> list[Cell]:
    queried = [record for record in records if not record.cell.reference]
    complete = [record for record in queried if record.status == "ok"]
    if len(complete) < len(queried):
        warn(
            f"{len(queried) - len(complete)} cells are not finished and are left alone; run without --retime first"
        )
    shared = [record for record in complete if record.timing == "shared"]
    return [record.cell for record in shared or complete]


def _part(chosen: Chosen[Any]) -> Part:
    return Part(name=chosen.name, origin=chosen.registered.origin, params=chosen.params, plain=dict(chosen.plain))


def _experiment(spec: Spec, plan: Plan, directory: RunDirectory) -> Experiment:
    return Experiment(
        name=plan.experiment,
        folder=directory.path,
        model=_part(spec.model),
        samplers={sampler.label: _part(sampler) for sampler in spec.samplers},
        training=spec.training,
        schedule=plan.schedule,
    )


def _wanted(plan: Plan, only: tuple[str, ...]) -> set[Cell]:
    names = {name for cell in plan.cells for name in (cell.label, cell.name)}
    for name in only:
        if name not in names:
            raise SpecError(f"--only {name}: the spec has no such sampler or cell{did_you_mean(name, names)}")
    return {cell for cell in plan.cells if not only or {cell.label, cell.name} & set(only)}


def _completed(plan: Plan, spec: Spec, loaded: Loaded, jobs: int) -> Plan:
    """The plan with what is known once the data set was loaded."""
    return replace(
        plan,
        jobs=jobs,
        metric=loaded.metric,
        lower_is_better=loaded.lower_is_better,
        headline=loaded.headline,
        params={**plan.params, "device": loaded.context["device"]},
        environment={**loaded.environment, "data_sha256": loaded.digest},
        spec_text=resolved_yaml(spec),
        valid=loaded.valid,
    )
