"""What samplers cost, and whether their times may be compared at all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .statistics import Mean, mean
from .summary import mean_cost, overall_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alharness.api.records import Outcome

    from .basis import Group
    from .study import Study

PARTS = ("query_seconds", "query_inference_seconds", "query_gradients_seconds", "query_selection_seconds")
PEAKS = ("cpu_peak_mib", "cpu_peak_increase_mib", "gpu_peak_alloc_mib")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one sampler, over the seeds of a group.

    Attributes:
        query: seconds of one query by part, averaged over cycles, then over seeds.
        train: seconds of one training.
        overall: seconds of all trainings and queries of a cell.
        peaks: the largest of any query, MiB; what was not measured is absent.
    """

    query: Mapping[str, Mean]
    train: Mean
    overall: Mean
    peaks: Mapping[str, float]


def cost(study: Study, label: str, group: Group | None = None) -> Cost:
    """The cost of a sampler, over the seeds of a group, by default of the first that it is in."""
    cells = study.basis.of(group or study.basis.home(label), label)
    peaks = {name: [c.cost[name] for cell in cells for c in cell.cycles if name in c.cost] for name in PEAKS}
    return Cost(
        query={name: mean([mean_cost(cell, name) for cell in cells]) for name in PARTS},
        train=mean([mean_cost(cell, "train_seconds") for cell in cells]),
        overall=mean([overall_seconds(cell) for cell in cells]),
        peaks={name: max(values) for name, values in peaks.items() if values},
    )


def cells_of(study: Study) -> list[Outcome]:
    """The cells of all samplers that count."""
    return [cell for label in study.labels for cell in study.basis.cells[label].values()]


def incomparable(study: Study) -> str:
    """Why times of this run must not be ranked; empty where they may be."""
    cells = cells_of(study)
    if any(cell.timing == "shared" for cell in cells):
        return (
            "Times are not ranked: some queries were measured while other cells were running. "
            "`alharness run SPEC --retime` measures them again, alone."
        )
    machines = {cycle.machine for cell in cells for cycle in cell.cycles}
    if len(machines) > 1:
        names = "; ".join(sorted(name or "an unknown one" for name in machines))
        return f"Times are not ranked: cells ran on different machines ({names})."
    return ""


def machine(cells: list[Outcome]) -> str:
    """The machine that all times belong to; empty where it is not known or not one."""
    machines = {cycle.machine for cell in cells for cycle in cell.cycles}
    return machines.pop() if len(machines) == 1 else ""


def share_of_training(found: Cost) -> float:
    """Time of a query as a share of a training's."""
    query, train = found.query["query_seconds"].value, found.train.value
    return query / train if train > 0 else math.nan
