"""From a spec to its finished cells: the one place that takes a spec apart."""

from __future__ import annotations

import traceback
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .environment import describe
from .errors import DataError, Diverged, HarnessError, PluginError, SpecError
from .plan import Plan, make_plan
from .records import Cell, CellRecord, Paper, Run, RunRecord, Status
from .runs import journal
from .runs.directory import RunDirectory, write
from .runs.driver import drive, now
from .runs.fits import FitStore
from .runs.journal import Journal
from .runs.workbench import Workbench
from .selection import Chooser
from .spec import resolved_yaml
from .suggestion import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from .data import Dataset
    from .registry import Registry
    from .spec import Spec


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to run, beside what.

    Attributes:
        workdir: where run directories lie.
        only: labels of samplers or names of cells; empty for all.
        restart: begin a cell anew where its journal cannot be continued; the old journal is kept.
    """

    workdir: Path = Path("runs")
    only: tuple[str, ...] = ()
    restart: bool = False


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
    with directory.locked():
        session = _Session(spec, plan, registry, directory, warn)
        session.require_same_data()
        records = {cell: session.on_disk(cell) for cell in plan.cells}
        finished = {cell.name: len(record.cycles) for cell, record in records.items()}
        session.run = replace(session.run, finished=finished)
        write(directory.path / "spec.yaml", session.run.spec_text)
        session.emit("alharness_run_started", run=session.run)
        interrupted = False
        for cell in plan.cells:
            if cell in wanted and records[cell].status != "ok":
                records[cell] = session.attempt(cell, restart=options.restart)
                interrupted = records[cell].status == "interrupted"
            if interrupted:
                break
        record = RunRecord(cells=tuple(records.values()), interrupted=interrupted)
        session.emit("alharness_run_finished", run=session.run, record=record)
    return session.run, record


class _Session:
    """One call of `run`: the parts that its cells need."""

    def __init__(
        self, spec: Spec, plan: Plan, registry: Registry, directory: RunDirectory, warn: Callable[[str], None]
    ) -> None:
        self._registry, self._directory, self._warn = registry, directory, warn
        self._samplers = {sampler.label: sampler for sampler in spec.samplers}
        dataset = _load(spec, plan)
        self._workbench = Workbench(dataset, spec.model.plugin, spec.model.params, spec.training, plan.schedule)
        self._fits = FitStore(
            directory.fits,
            {
                **self._workbench.context,
                "model": [spec.model.name, spec.model.plain, spec.model.registered.origin],
                "training": spec.training.model_dump(),
            },
            warn,
        )
        self.run = _describe_run(spec, plan, directory, dataset, self._workbench)

    def require_same_data(self) -> None:
        """Raise DataError where the data changed since a cell began."""
        for cell in self.run.cells:
            with suppress(HarnessError):  # a damaged journal is its own cell's failure
                found = journal.read(self._directory.cell(cell) / journal.NAME)
                if found and found[0].context.get("data") != self._workbench.context["data"]:
                    break
        else:
            return
        raise DataError(
            f"{self._directory.path}: the data set has changed since this run began. Restore it, or choose "
            "another --workdir to begin a new run"
        )

    def on_disk(self, cell: Cell) -> CellRecord:
        """The cell as its journal has it: complete, or pending."""
        try:
            found = journal.read(self._directory.cell(cell) / journal.NAME)
        except HarnessError as error:
            return CellRecord(cell=cell, status="failed", error=str(error))
        if found is None:
            return CellRecord(cell=cell, status="pending")
        header, cycles = found
        complete = len(cycles) == len(self.run.labeled(cell))
        return CellRecord(
            cell=cell, status="ok" if complete else "pending", cycles=tuple(cycles), started=header.started
        )

    def attempt(self, cell: Cell, *, restart: bool) -> CellRecord:
        """Run a cell to its end; what goes wrong becomes its status."""
        folder = self._directory.cell(cell)
        status: Status = "ok"
        error = ""
        try:
            self._finish(cell, folder, restart=restart)
        except KeyboardInterrupt:
            status = "interrupted"
        except Diverged as diverged:
            status, error = "diverged", str(diverged)
        except HarnessError as failure:
            status, error = "failed", str(failure)
        except OSError as failure:  # a full disk, say
            status, error = "failed", str(failure)
        except (Exception, SystemExit) as bug:  # noqa: BLE001 - a plugin's bug must not take other cells down
            folder.mkdir(parents=True, exist_ok=True)
            write(folder / "traceback.txt", traceback.format_exc())
            status = "failed"
            error = f"{cell.label} ({cell.distribution}): {type(bug).__name__}: {bug}; see {folder}/traceback.txt"
        found = self.on_disk(cell)
        return CellRecord(cell=cell, status=status, cycles=found.cycles, started=found.started, error=error)

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

    def _finish(self, cell: Cell, folder: Path, *, restart: bool) -> None:
        bench = self._workbench.bench(cell.seed)
        world, initial = bench.everything if cell.reference else (bench.world, bench.initial)
        drive(
            world,
            None if cell.reference else self._chooser(cell),
            initial,
            self._open(folder, {**self._identity(cell), **self._workbench.context, **bench.context}, restart),
            trainer=bench.trainer,
            fits=self._fits,
            finished=lambda cycle: self.emit("alharness_cycle_finished", run=self.run, cell=cell, cycle=cycle),
        )

    def _chooser(self, cell: Cell) -> Chooser:
        chosen = self._samplers[cell.label]
        return Chooser(
            sampler=chosen.plugin.make(chosen.params),
            name=f"{cell.label} ({cell.distribution})",
            features=chosen.plugin.features(chosen.params),
        )

    def _identity(self, cell: Cell) -> dict[str, Any]:
        return {
            "experiment": self.run.experiment,
            "sampler": cell.sampler,
            "params": dict(cell.params),
            "distribution": cell.distribution,
            "seed": cell.seed,
        }

    def _open(self, folder: Path, context: dict[str, Any], restart: bool) -> Journal:
        try:
            opened = Journal(folder, context, now())
        except HarnessError:
            if not restart:
                raise
            aside = journal.set_aside(folder)
            self._warn(f"the cell begins anew; its old journal is kept as {aside}")
            opened = Journal(folder, context, now())
        if opened.torn:
            self._warn(f"{folder / journal.NAME}: cut a last line that was only half written")
        return opened


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


def _describe_run(spec: Spec, plan: Plan, directory: RunDirectory, dataset: Dataset, workbench: Workbench) -> Run:
    from .metrics import HEADLINE, PRIMARY

    return Run(
        name=plan.name,
        experiment=plan.experiment,
        folder=directory.path,
        schedule=plan.schedule,
        pool=plan.facts.sizes[0],
        cells=plan.cells,
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
        paper=Paper(**spec.paper.model_dump()) if spec.paper else None,
    )
