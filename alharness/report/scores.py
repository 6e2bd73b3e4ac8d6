"""Numbers of finished cells, by sampler and seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alharness.metrics import LOWER_IS_BETTER

from .reading import differing
from .statistics import aubc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from alharness.records import CellRecord

    from .reading import Results


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The curves of one metric.

    Attributes:
        metric: its name.
        labeled: labels at cycle 0, 1, ...
        curves: label of a sampler -> seed -> its value at every cycle, NaN where it is undefined.
        refused: why two cells of a seed are not compared, in words; empty where all can be.
    """

    metric: str
    labeled: tuple[int, ...]
    curves: Mapping[str, Mapping[int, tuple[float, ...]]]
    refused: tuple[str, ...] = ()

    @property
    def lower_is_better(self) -> bool:
        """Whether smaller values are better."""
        return self.metric in LOWER_IS_BETTER

    @property
    def better(self) -> str:
        """In words."""
        return "lower is better" if self.lower_is_better else "higher is better"

    def pair(self, one: str, other: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Curves of the seeds that both finished, (seeds, cycles) each, row by row of the same seed."""
        both = self.curves.get(one, {}), self.curves.get(other, {})
        seeds = sorted(both[0].keys() & both[1].keys())
        shape = (len(seeds), len(self.labeled))
        first, second = (np.array([curves[seed] for seed in seeds], float).reshape(shape) for curves in both)
        return first, second

    def areas(self, curves: NDArray[np.float64]) -> list[float]:
        """Area under the budget curve of each row."""
        return [aubc(self.labeled, row) for row in curves]


def scores(results: Results, metric: str) -> Scores:
    """Curves of a metric, of the samplers in the order of the spec.

    Of the cells of a seed, those count whose data, split, initial pool, device and versions are those of most of
    them: only such cells may be held against each other.
    """
    by_label = {label: dict(results.finished(label)) for label in results.run.labels}
    refused = _drop_strangers(results, by_label)
    return Scores(
        metric=metric,
        labeled=results.run.schedule.labeled,
        curves={
            label: {
                seed: tuple(c.metrics.get(metric, float("nan")) for c in record.cycles)
                for seed, record in found.items()
            }
            for label, found in by_label.items()
        },
        refused=tuple(refused),
    )


def references(results: Results, value: Callable[[CellRecord], float]) -> list[float]:
    """A value of every finished model that was trained with all labels."""
    return [value(record) for record in results.complete if record.cell.reference]


def known_metrics(results: Results) -> tuple[str, ...]:
    """Every metric of the run, the one that ranks first, then those of the closing table."""
    run = results.run
    found = dict.fromkeys(name for record in results.complete for name in record.cycles[-1].metrics)
    return tuple(dict.fromkeys(name for name in (run.metric, *run.headline, *found) if name in found))


def _drop_strangers(results: Results, by_label: dict[str, dict[int, CellRecord]]) -> list[str]:
    refused = []
    for seed in sorted({seed for found in by_label.values() for seed in found}):
        cells = [found[seed].cell for found in by_label.values() if seed in found]
        alike = {cell: [other for other in cells if not differing(results, cell, other)] for cell in cells}
        most = max(alike.values(), key=len)
        for cell in cells:
            if cell not in most:
                fields = ", ".join(differing(results, cell, most[0]))
                refused.append(
                    f"{cell.name} is left out of every comparison: it differs from {most[0].name} in {fields}"
                )
                del by_label[cell.label][seed]
    return refused
