"""Runs cells in this process, which is a worker's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.api.sampler import Sampler
from alharness.engine.selection import Chooser
from alharness.engine.training import model_border
from alharness.errors import HarnessError, SamplerError
from alharness.guard.border import Border

from . import driver, journal
from .conditions import identity
from .directory import RunDirectory
from .fits import FitStore
from .journal import Journal
from .workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable

    from alharness.api.dataset import Dataset
    from alharness.api.records import Cell, CycleRecord, Timing
    from alharness.registry import Registry

    from .experiment import Experiment
    from .workbench import Bench


class Runner:
    """Runs cells of one experiment.

    Args:
        experiment: what they share.
        dataset: the samples, as the model wants them; see `workbench.suited`.
        registry: where the plugins are found.
        warn: told what the user should know.
        timing: whether a query has the machine to itself.
    """

    def __init__(
        self,
        experiment: Experiment,
        dataset: Dataset,
        registry: Registry,
        warn: Callable[[str], None],
        *,
        timing: Timing,
    ) -> None:
        self._experiment, self._registry, self._warn, self._timing = experiment, registry, warn, timing
        self._directory = RunDirectory(experiment.folder)
        model = experiment.model
        registered = registry.model(model.name)
        plugin = registered.plugin
        border = model_border(f"the model {model.name!r} of {model.origin}", warn)
        self.workbench = Workbench(
            dataset, plugin, model.params, experiment.training, experiment.schedule, border=border
        )
        self._fits = FitStore(
            self._directory.fits,
            {
                **self.workbench.context,
                "model": [model.name, model.plain, registered.identity],
                "training": experiment.training.recipe,
            },
            warn,
        )

    def run(self, cell: Cell, finished: Callable[[CycleRecord], None], *, restart: bool) -> None:
        """Run a cell to its end.

        Args:
            cell: which.
            finished: told of every cycle once it is on disk.
            restart: begin it again if its journal cannot be continued; the old one is kept.
        """
        bench = self.workbench.bench(cell.seed)
        world, initial = bench.everything if cell.reference else (bench.world, bench.initial)
        driver.drive(
            world,
            None if cell.reference else self._chooser(cell),
            initial,
            self._open(cell, bench, restart=restart),
            trainer=bench.trainer,
            fits=self._fits,
            finished=finished,
            timing=self._timing,
            crowded=self._directory.crowded,
        )

    def retime(self, cell: Cell, finished: Callable[[CycleRecord], None]) -> None:
        """Measure the queries of a finished cell again; see `driver.retime`."""
        bench = self.workbench.bench(cell.seed)
        driver.retime(
            bench.world,
            self._chooser(cell),
            bench.initial,
            self._open(cell, bench, restart=False),
            trainer=bench.trainer,
            fits=self._fits,
            finished=finished,
        )

    def _chooser(self, cell: Cell) -> Chooser:
        part = self._experiment.samplers[cell.label]
        plugin = self._registry.sampler(part.name).plugin
        with Border(cell.who, SamplerError, self._warn).crossed("construction"):
            sampler, features = plugin.make(part.params), plugin.features(part.params)
            if not isinstance(sampler, Sampler):
                raise SamplerError(f"its plugin made {type(sampler).__name__}, expected a Sampler")
        return Chooser(sampler=sampler, name=cell.who, features=features, warn=self._warn)

    def _open(self, cell: Cell, bench: Bench, *, restart: bool) -> Journal:
        folder = self._directory.cell(cell)
        try:
            opened = self._read(cell, bench)
        except HarnessError:
            if not restart:
                raise
            aside = journal.set_aside(folder)
            self._warn(f"the cell begins again; its old journal is kept as {aside}")
            opened = self._read(cell, bench)
        if opened.torn:
            self._warn(f"{folder / journal.NAME}: cut a last line that was only half written")
        return opened

    def _read(self, cell: Cell, bench: Bench) -> Journal:
        world, initial = bench.everything if cell.reference else (bench.world, bench.initial)
        context = {**identity(self._experiment.name, cell), **self.workbench.context, **bench.context}
        opened = Journal(self._directory.cell(cell), context, driver.now(), world.schedule.labeled)
        opened.replay(initial)  # before anything is trained: what it holds must fit the pool
        return opened
