"""How long a run will take, before it starts: from what earlier runs cost here, or from a short trial."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from alharness.errors import HarnessError, RunError
from alharness.spec.reader import resolved_yaml
from alharness.spec.settings import ReferenceSettings
from alharness.spec.yamlfile import parse

from . import saved
from .costs import Costs, Rest, Together, time_left
from .groups import cut
from .machine import machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from alharness.api.records import Cell, CycleRecord, Outcome, Plan
    from alharness.registry import Registry
    from alharness.spec import Spec

START = 3.0
"""Seconds that pass before the first training and after the last, about: imports, data, pictures."""
RUNS, CELLS = 3, 60
"""Earlier runs, and cells of each, that are read at most."""
EPOCHS, QUERIES = 4, 2
"""Of a trial."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The time that a run needs.

    Attributes:
        seconds: for what is not finished, about.
        source: what they are taken from, in words.
        at_most: no training stops early in them, as some will.
    """

    seconds: float
    source: str
    at_most: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """What cycles like those of a spec cost on this machine.

    Attributes:
        costs: of these cycles.
        source: what they are from, in words.
        at_most: they are of trainings that could not stop early.
    """

    costs: Costs
    source: str
    at_most: bool = False

    def predict(self, plan: Plan, *, jobs: int = 1, stack: int | None = None) -> Prediction:
        """The time that is left of a run.

        Args:
            plan: the run; cells of its folder that are finished take no time.
            jobs: groups of cells that run at a time.
            stack: most cells of a group, as for a run.
        """
        finished = {cell: len(saved.outcome_of(plan, cell).cycles) for cell in plan.cells}
        plan = replace(plan, jobs=jobs, finished={cell.name: count for cell, count in finished.items()})
        rests = {
            cell: Rest(cell, plan.labeled(cell)[count:], count)
            for cell, count in finished.items()
            if count < len(plan.labeled(cell))
        }
        groups = [Together([rests[cell] for cell in group]) for group in cut(plan, [*rests], stack)]
        trained = {cell.seed for cell, count in finished.items() if count and not cell.reference}
        seconds = time_left(self.costs, groups, trained, jobs) + START if groups else 0.0
        return Prediction(seconds=seconds, source=self.source, at_most=self.at_most)


class History:
    """The runs in a folder, each read once.

    Args:
        workdir: the folder of run directories.
    """

    def __init__(self, workdir: Path) -> None:
        self._runs: list[tuple[Plan, dict[str, Any]]] | None = None
        self._workdir = workdir

    def known(self, spec: Spec, plan: Plan) -> Known | None:
        """What runs with the same data, model and training cost on this machine; None if there are none.

        Those of the same setting count most, and later ones more than earlier ones.
        """
        wanted = _kind(resolved_yaml(spec))
        alike = [run for run, kind in self._newest_first() if kind == wanted]
        alike.sort(key=lambda run: run.experiment != plan.experiment)
        found = ((run.folder, list(_cycles(run, plan.cells))) for run in alike)
        used = list(islice(((folder, cycles) for folder, cycles in found if cycles), RUNS))
        costs = Costs()
        for _, cycles in reversed(used):  # what comes last counts most
            for label, cycle in cycles:
                costs.add(label, cycle)
        source = f"as in {' and '.join(str(folder) for folder, _ in used)}"
        return Known(costs=costs, source=source) if costs.known else None

    def _newest_first(self) -> list[tuple[Plan, dict[str, Any]]]:
        if self._runs is None:
            self._runs = [found for path in _run_files(self._workdir) if (found := _plan_and_kind(path.parent))]
        return self._runs


def own(plan: Plan, outcomes: Iterable[Outcome]) -> Known | None:
    """What the cycles of a run have cost itself; None if it has finished none."""
    costs = Costs()
    for outcome in outcomes:
        for cycle in outcome.cycles:
            costs.add(outcome.cell.label, cycle)
    return Known(costs=costs, source=f"as in {plan.folder}") if costs.known else None


def with_seeds(plan: Plan, count: int) -> Plan:
    """The same run with so many seeds at least: cells of more seeds are as those of the last one."""
    present = {cell.seed for cell in plan.cells}
    last = plan.cells[-1].seed
    more = [seed for seed in range(count + len(present)) if seed not in present][: max(0, count - len(present))]
    added = (
        replace(cell, seed=seed, key=f"{cell.key}-{seed}")
        for seed in more
        for cell in plan.cells
        if cell.seed == last
    )
    return replace(plan, cells=(*plan.cells, *added))


def try_out(spec: Spec, registry: Registry) -> Known:
    """What cycles cost, from a run of the first seed that is thrown away: few epochs, if any, and few queries.

    Raises:
        HarnessError: it cannot be run.
        RunError: a cell failed; the message is its error.
    """
    from .run import Options, run

    asked = spec.active_learning
    small = replace(
        spec,
        seeds=spec.seeds[:1],
        training=spec.training.model_copy(update={"epochs": min(EPOCHS, spec.training.epochs)}),
        active_learning=asked.model_copy(update={"cycles": min(QUERIES, asked.cycles)}),
        reference=ReferenceSettings(),
        trackers=(),
    )
    with TemporaryDirectory(prefix="alharness-") as folder:
        _, outcomes = run(small, registry, Options(workdir=Path(folder)), lambda _: None)
    for outcome in outcomes.failed:
        raise RunError(f"{outcome.cell.name}: {outcome.error}")
    of_epochs = not spec.model.plugin.fits_itself
    costs, epochs = Costs(), spec.training.epochs / small.training.epochs if of_epochs else 1
    for label, cycle in ((cell.cell.label, cycle) for cell in outcomes.cells for cycle in cell.cycles):
        # The first training of a process also finds out how to train; the others are as all that follow.
        cost = {name: seconds for name, seconds in cycle.cost.items() if cycle.cycle or name != "train_seconds"}
        if "train_seconds" in cost:
            cost["train_seconds"] *= epochs
        costs.add(label, replace(cycle, cost=cost))
    source = f"from {small.training.epochs} epochs of a trial" if of_epochs else "from a trial"
    return Known(costs=costs, source=source, at_most=of_epochs)


def _kind(text: str) -> dict[str, Any]:
    """Of a resolved spec, what the cost of a cycle depends on."""
    data = parse(text, "spec").data
    training = {name: value for name, value in data["training"].items() if name != "count_val_in_budget"}
    return {"dataset": data["dataset"], "model": data["model"], "training": training}


def _run_files(workdir: Path) -> list[Path]:
    try:
        return sorted(workdir.glob(f"*/{saved.NAME}"), key=lambda path: -path.stat().st_mtime)
    except OSError:
        return []


def _plan_and_kind(folder: Path) -> tuple[Plan, dict[str, Any]] | None:
    """None of what is no run directory of ours, or was changed by hand."""
    try:
        run = saved.plan_of(folder)
        return run, _kind(run.spec_text)
    except (HarnessError, KeyError, TypeError, AttributeError):
        return None


def _cycles(run: Plan, cells: Iterable[Cell]) -> Iterator[tuple[str, CycleRecord]]:
    """Cycles that a run finished on this machine, each with the label that its sampler has among these cells."""
    labels = {(cell.sampler, repr(cell.params)): cell.label for cell in cells}
    here = machine()
    for cell in run.cells[:CELLS]:
        label = labels.get((cell.sampler, repr(cell.params)), cell.label)
        for cycle in saved.outcome_of(run, cell).cycles:
            if cycle.machine.startswith(here):
                yield label, cycle
