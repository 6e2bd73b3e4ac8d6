"""The ten hooks. Five register and take nothing; five observe a run and cannot change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from .dataset import DatasetPlugin
    from .executor import ExecutorPlugin
    from .model import ModelPlugin
    from .records import Cell, CycleRecord, Look, Outcome, Outcomes, Plan
    from .sampler import SamplerPlugin
    from .tracker import TrackerPlugin

NAMESPACE = "alharness"
"""Name of the plugin manager, of the hooks' prefix, and of the entry-point group."""

hookspec = pluggy.HookspecMarker(NAMESPACE)
hookimpl = pluggy.HookimplMarker(NAMESPACE)
"""Decorator that marks a function, or a method of a tracker, as a hook."""


@hookspec
def alharness_samplers() -> list[SamplerPlugin]:  # type: ignore[empty-body]
    """Offer samplers.

    .. code-block:: python

        # my_margin/plugin.py, found through
        # [project.entry-points.alharness]
        # margin = "my_margin.plugin"
        from alharness import Feature, Params, SamplerPlugin, Task, hookimpl


        @hookimpl
        def alharness_samplers() -> list[SamplerPlugin]:
            return [
                SamplerPlugin(
                    name="margin", params=Params, make="my_margin.sampler:Margin", requires={Feature.PREDICTIONS},
                    tasks={Task.CLASSIFICATION}, summary="smallest gap between the two best classes",
                )
            ]

    and the sampler itself, which imports torch and is imported only when it is used:

    .. code-block:: python

        # my_margin/sampler.py
        from alharness import Query, ScoringSampler
        from torch import Tensor


        class Margin(ScoringSampler):
            def score(self, query: Query) -> Tensor:
                top = query.unlabeled.predictions().exp().topk(2, dim=1).values
                return top[:, 1] - top[:, 0]
    """


@hookspec
def alharness_models() -> list[ModelPlugin]:  # type: ignore[empty-body]
    """Offer task models.

    .. code-block:: python

        from alharness import ModelPlugin, Params, hookimpl


        @hookimpl
        def alharness_models() -> list[ModelPlugin]:
            return [ModelPlugin(name="network", params=Params, make="my_model.network:Network")]
    """


@hookspec
def alharness_datasets() -> list[DatasetPlugin]:  # type: ignore[empty-body]
    """Offer data sets.

    .. code-block:: python

        from alharness import DatasetFacts, DatasetPlugin, Params, Task, hookimpl


        def inspect(params: Params) -> DatasetFacts:
            return DatasetFacts(task=Task.REGRESSION, modalities=("audio", "text"), sizes=(600, 100, 300))


        @hookimpl
        def alharness_datasets() -> list[DatasetPlugin]:
            return [DatasetPlugin(name="calls", params=Params, inspect=inspect, make="my_calls.reader:read")]
    """


@hookspec
def alharness_trackers() -> list[TrackerPlugin]:  # type: ignore[empty-body]
    r"""Offer trackers, which keep the results of a run elsewhere; a spec names them under `tracking`.

    .. code-block:: python

        from pathlib import Path

        from alharness import Params, Tracker, TrackerContext, TrackerPlugin, hookimpl


        class LinesParams(Params):
            path: Path
            '''The file of the lines.'''


        class Lines(Tracker):
            def __init__(self, params: LinesParams, context: TrackerContext) -> None:
                self.path = params.path

            @hookimpl
            def alharness_cycle_finished(self, cell, cycle) -> None:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(f"{cell.name} {cycle.labeled} {dict(cycle.metrics)}\n")

            def where(self) -> str:
                return str(self.path)


        @hookimpl
        def alharness_trackers() -> list[TrackerPlugin]:
            return [TrackerPlugin(name="lines", params=LinesParams, make=Lines, summary="a line for each cycle")]
    """


@hookspec
def alharness_executors() -> list[ExecutorPlugin]:  # type: ignore[empty-body]
    """Offer executors, which start the workers of a run somewhere; `alharness run --executor` names one.

    .. code-block:: python

        from alharness import ExecutorPlugin, Params, hookimpl


        @hookimpl
        def alharness_executors() -> list[ExecutorPlugin]:
            return [ExecutorPlugin(name="pipes", params=Params, make="my_pipes.executor:Pipes")]
    """


@hookspec
def alharness_run_started(run: Plan) -> None:
    """See a run begin or continue: what is going to run, and what is finished already.

    .. code-block:: python

        @hookimpl
        def alharness_run_started(run: Plan) -> None:
            print(run.name, len(run.cells), "cells")
    """


@hookspec
def alharness_cycle_finished(run: Plan, cell: Cell, cycle: CycleRecord) -> None:
    """See a cycle that has just been written to its cell's journal.

    .. code-block:: python

        @hookimpl
        def alharness_cycle_finished(run: Plan, cell: Cell, cycle: CycleRecord) -> None:
            print(cell.name, cycle.labeled, cycle.metrics)
    """


@hookspec
def alharness_cell_ended(run: Plan, record: Outcome) -> None:
    """See how an attempt at a cell ended: with all its cycles, by a failure, or by an interruption.

    .. code-block:: python

        @hookimpl
        def alharness_cell_ended(run: Plan, record: Outcome) -> None:
            print(record.cell.name, record.status, record.error)
    """


@hookspec
def alharness_seeds_judged(run: Plan, look: Look) -> None:
    """See what finished seeds have decided, in a run whose seeds stop then: at its start, and after each block.

    .. code-block:: python

        @hookimpl
        def alharness_seeds_judged(run: Plan, look: Look) -> None:
            print(look.seeds, "seeds:", *look.lines)
    """


@hookspec
def alharness_run_finished(run: Plan, record: Outcomes) -> None:
    """See the run end, with all its cells: those finished now, those finished before, and those that failed.

    .. code-block:: python

        @hookimpl
        def alharness_run_finished(run: Plan, record: Outcomes) -> None:
            print(sum(cell.status == "ok" for cell in record.cells), "cells are complete")
    """
