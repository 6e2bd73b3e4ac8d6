"""From a spec to its finished cells: the one place that takes a spec apart."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .environment import describe
from .errors import DataError, HarnessError, PluginError, RunError, SpecError
from .plan import Plan, make_plan
from .records import CellRecord, Paper, Run, RunRecord
from .runs import description, journal, pooltable
from .runs.directory import RunDirectory
from .runs.experiment import Experiment, Part
from .runs.files import explain, write
from .runs.runner import Runner
from .runs.sharing import share
from .runs.workbench import suited
from .runs.workers import run_in_workers
from .spec import resolved_yaml
from .suggestion import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .cells import Cell
    from .data import Dataset
    from .records import CycleRecord, Ended
    from .registry import Registry
    from .runs.workbench import Workbench
    from .spec import Chosen, Spec


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to run, beside what.

    Attributes:
        workdir: where run directories lie.
        only: labels of samplers or names of cells; empty for all.
        restart: begin a cell anew where its journal cannot be continued; the old journal is kept.
        jobs: how many cells run at a time, each in a process of its own where it is more than one.
        retime: run nothing, but measure the queries of finished cells again, alone: of those measured while others
            were running, or of all where there is none of these.
    """

    workdir: Path = Path("runs")
    only: tuple[str, ...] = ()
    restart: bool = False
    jobs: int = 1
    retime: bool = False


def run(spec: Spec, registry: Registry, options: Options, warn: Callable[[str], None]) -> tuple[Run, RunRecord]:
    """Run every cell of the spec that is not finished yet.

    A cell that fails does not stop the others. Ctrl-C, and whatever else raises KeyboardInterrupt, ends the run
    after the last finished cycle; the same call continues it.

    Raises:
        HarnessError: nothing could be started.
    """
    plan = make_plan(spec)
    for warning in plan.warnings:
        warn(warning)
    wanted = _wanted(plan, options.only)
    directory = RunDirectory(options.workdir / plan.experiment)
    with directory.entered(warn):
        session = _Session(spec, plan, registry, directory, options, warn)
        session.require_same_data()
        records = {cell: session.on_disk(cell) for cell in plan.cells}
        if options.retime:
            cells = _to_measure_again([records[cell] for cell in plan.cells if cell in wanted], warn)
        else:
            cells = [cell for cell in plan.cells if cell in wanted and records[cell].status != "ok"]
        directory.claim(cells, alone=options.retime)
        records |= {cell: session.on_disk(cell) for cell in cells}  # another process may just have finished some
        if not options.retime:
            cells = [cell for cell in cells if records[cell].status != "ok"]
        finished = {cell.name: len(record.cycles) for cell, record in records.items()}
        finished |= dict.fromkeys((cell.name for cell in cells), 0) if options.retime else {}
        session.run = replace(session.run, finished=finished)
        session.begin(cells)
        session.emit("alharness_run_started", run=session.run)
        interrupted = False
        for cell, ended in session.execute(cells):
            found = session.on_disk(cell)
            records[cell] = replace(found, status=ended.status, error=ended.error)
            session.emit("alharness_cell_ended", run=session.run, record=records[cell])
            interrupted = interrupted or ended.status == "interrupted"
        records |= {cell: session.on_disk(cell) for cell in plan.cells if cell not in cells}
        record = RunRecord(cells=tuple(records[cell] for cell in plan.cells), interrupted=interrupted)
        try:
            session.conclude([records[cell] for cell in cells])
        finally:
            session.emit("alharness_run_finished", run=session.run, record=record)
    return session.run, record


class _Session:
    """One call of `run`: the parts that its cells need."""

    def __init__(
        self,
        spec: Spec,
        plan: Plan,
        registry: Registry,
        directory: RunDirectory,
        options: Options,
        warn: Callable[[str], None],
    ) -> None:
        self._registry, self._directory, self._options, self._warn = registry, directory, options, warn
        self._experiment = _experiment(spec, plan, directory)
        dataset = _load(spec, plan)
        self._dataset = suited(dataset, spec.model.plugin)
        self._runner = Runner(self._experiment, self._dataset, registry, warn, timing="exclusive")
        workbench = self._runner.workbench
        self._data = workbench.context["data"]
        self.run = _describe_run(spec, plan, directory, dataset, workbench, options.jobs)

    def require_same_data(self) -> None:
        """Raise DataError where the data changed since a cell began."""
        for cell in self.run.cells:
            with suppress(HarnessError):  # a damaged journal is its own cell's failure
                found = journal.read(self._directory.cell(cell) / journal.NAME)
                if found and found[0].context.get("data") != self._data:
                    break
        else:
            return
        raise DataError(
            f"{self._directory.path}: the data set has changed since this run began. Restore it, or choose "
            "another --workdir to begin a new run"
        )

    def on_disk(self, cell: Cell) -> CellRecord:
        """The cell as its journal has it: complete, or pending."""
        record, _ = description.record_of(cell, self._directory.cell(cell), self.run.labeled(cell))
        return record

    def begin(self, cells: list[Cell]) -> None:
        """Write what was asked for. Raises RunError if the disk is full."""
        try:
            with self._directory.writing():
                write(self._directory.path / "spec.yaml", self.run.spec_text)
                description.begin(self.run, cells)
        except OSError as error:
            raise RunError(explain(error, self._directory.path)) from error

    def conclude(self, records: list[CellRecord]) -> None:
        """Write how the cells ended. Raises RunError if the disk is full."""
        self._describe_pool()
        try:
            with self._directory.writing():
                description.conclude(self.run, records)
        except OSError as error:
            raise RunError(explain(error, self._directory.path)) from error

    def _describe_pool(self) -> None:
        """Leave the labels and a map of the pool for the report. It does without, where that fails."""
        try:
            pooltable.save(self._directory.path, self._dataset)
        except Exception as bug:  # noqa: BLE001 - a run is worth more than its pictures
            self._warn(f"what was chosen will not be shown in reports: {type(bug).__name__}: {bug}")

    def execute(self, cells: list[Cell]) -> Iterator[tuple[Cell, Ended]]:
        """Run these cells, or measure them again, and tell how each ended. An interruption ends it."""
        restart = self._options.restart
        if self._options.jobs > 1 and len(cells) > 1 and not self._options.retime:
            with self._directory.shared_samples() as folder:
                yield from run_in_workers(
                    self._experiment,
                    share(self._dataset, folder),
                    cells,
                    self._finished,
                    self._warn,
                    jobs=min(self._options.jobs, len(cells)),
                    restart=restart,
                )
            return
        for cell in cells:
            finished = partial(self._finished, cell)
            if self._options.retime:
                ended = self._runner.retime(cell, finished)
            else:
                ended = self._runner.attempt(cell, finished, restart=restart)
            yield cell, ended
            if ended.status == "interrupted":
                return

    def emit(self, hook: str, **records: Any) -> None:
        """Call a hook of every observer; one that fails is named and the others are called all the same."""
        manager = self._registry.manager
        observers = [plugin for _, plugin in manager.list_name_plugin() if plugin is not None]
        for observer in observers:
            others = [other for other in observers if other is not observer]
            try:
                manager.subset_hook_caller(hook, others)(**records)
            except HarnessError:
                raise
            except Exception as bug:  # noqa: BLE001 - a run is worth more than its observer
                self._warn(f"the observer {manager.get_name(observer)} failed: {type(bug).__name__}: {bug}")

    def _finished(self, cell: Cell, cycle: CycleRecord) -> None:
        self._directory.require_held()
        self.emit("alharness_cycle_finished", run=self.run, cell=cell, cycle=cycle)


def _to_measure_again(records: list[CellRecord], warn: Callable[[str], None]) -> list[Cell]:
    queried = [record for record in records if not record.cell.reference]
    complete = [record for record in queried if record.status == "ok"]
    if len(complete) < len(queried):
        warn(
            f"{len(queried) - len(complete)} cells are not finished and are left alone; run without --retime first"
        )
    shared = [record for record in complete if record.timing == "shared"]
    return [record.cell for record in shared or complete]


def _experiment(spec: Spec, plan: Plan, directory: RunDirectory) -> Experiment:
    def part(chosen: Chosen[Any]) -> Part:
        return Part(
            name=chosen.name, origin=chosen.registered.origin, params=chosen.params, plain=dict(chosen.plain)
        )

    return Experiment(
        name=plan.experiment,
        folder=directory.path,
        model=part(spec.model),
        samplers={sampler.label: part(sampler) for sampler in spec.samplers},
        training=spec.training,
        schedule=plan.schedule,
    )


def _wanted(plan: Plan, only: tuple[str, ...]) -> set[Cell]:
    names = {name for cell in plan.cells for name in (cell.label, cell.name)}
    for name in only:
        if name not in names:
            raise SpecError(f"--only {name}: the spec has no such sampler or cell{did_you_mean(name, names)}")
    return {cell for cell in plan.cells if not only or {cell.label, cell.name} & set(only)}


def _load(spec: Spec, plan: Plan) -> Dataset:
    dataset = spec.dataset.plugin.make(spec.dataset.params)
    facts = plan.facts
    if (dataset.task, set(dataset.modalities)) != (facts.task, set(facts.modalities)):
        raise PluginError(
            f"the data set {spec.dataset.name!r} of {spec.dataset.registered.origin} is not what it says: it "
            f"announced {facts.task} on {', '.join(facts.modalities)}, and is {dataset.task} on "
            f"{', '.join(dataset.modalities)}"
        )
    if dataset.synthetic != facts.synthetic:
        real, made_up = "real", "synthetic"
        said, found = (made_up, real) if facts.synthetic else (real, made_up)
        raise PluginError(
            f"the data set {spec.dataset.name!r} of {spec.dataset.registered.origin} announced {said} data and is "
            f"{found}: its facts and what it makes must agree, or the run would be kept under a wrong name"
        )
    return dataset


def _describe_run(
    spec: Spec, plan: Plan, directory: RunDirectory, dataset: Dataset, workbench: Workbench, jobs: int
) -> Run:
    from .metrics import HEADLINE, PRIMARY

    return Run(
        name=plan.name,
        experiment=plan.experiment,
        folder=directory.path,
        schedule=plan.schedule,
        pool=plan.facts.sizes[0],
        cells=plan.cells,
        jobs=jobs,
        skips=plan.skips,
        metric=PRIMARY[workbench.scoring],
        headline=HEADLINE[workbench.scoring],
        params={
            "dataset": spec.dataset.name,
            "model": spec.model.name,
            "initial_pool": spec.active_learning.initial_pool,
            "budget": spec.active_learning.budget,
            "cycles": len(plan.schedule.sizes),
            "max_labels": plan.schedule.labeled[-1],
            "device": workbench.device.type,
        },
        environment={
            **describe(workbench.device, spec.path.absolute().parent),
            "data_sha256": dataset.digest,
        },
        spec_text=resolved_yaml(spec),
        synthetic=dataset.synthetic,
        valid=workbench.validating(plan.facts.sizes[1]),
        count_valid=spec.training.count_val_in_budget,
        paper=Paper(**spec.paper.model_dump()) if spec.paper else None,
    )
