"""Numbers of finished cells, by sampler and seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .basis import basis
from .statistics import aubc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from .basis import Basis
    from .reading import Results


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The curves of one metric, of the cells that count; see `basis`.

    Attributes:
        metric: its name.
        labeled: labels at cycle 0, 1, ..., as they are counted; see `Plan.counted`.
        curves: label of a sampler -> seed -> its value at every cycle, NaN where it is undefined.
        lower_is_better: whether smaller values are better.
        refused: why complete cells do not count, in words; empty where all do.
    """

    metric: str
    labeled: tuple[int, ...]
    curves: Mapping[str, Mapping[int, tuple[float, ...]]]
    lower_is_better: bool
    refused: tuple[str, ...] = ()

    @property
    def better(self) -> str:
        """In words."""
        return "lower is better" if self.lower_is_better else "higher is better"

    def pair(
        self, one: str, other: str, seeds: Iterable[int] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Curves of the same seeds, (seeds, cycles) each, row by row.

        Args:
            one: label of a sampler.
            other: label of another.
            seeds: those to take; None for all that count for both.
        """
        both = self.curves.get(one, {}), self.curves.get(other, {})
        shared = both[0].keys() & both[1].keys()
        taken = sorted(shared if seeds is None else shared.intersection(seeds))
        shape = (len(taken), len(self.labeled))
        first, second = (np.array([curves[seed] for seed in taken], float).reshape(shape) for curves in both)
        return first, second

    def areas(self, curves: NDArray[np.float64]) -> list[float]:
        """Area under the budget curve of each row."""
        return [aubc(self.labeled, row) for row in curves]


def scores(results: Results, metric: str, found: Basis | None = None) -> Scores:
    """Curves of a metric, of the samplers in the order of the spec.

    Args:
        results: a run.
        metric: which metric.
        found: the cells that count; None to decide it here.
    """
    found = found or basis(results.run, results.record, results.contexts)
    return Scores(
        metric=metric,
        labeled=results.run.counted(results.run.schedule.labeled),
        curves={
            label: {
                seed: tuple(c.metrics.get(metric, math.nan) for c in record.cycles)
                for seed, record in found.cells.get(label, {}).items()
            }
            for label in results.run.labels
        },
        lower_is_better=metric in results.run.lower_is_better,
        refused=found.refused,
    )


def known_metrics(results: Results) -> tuple[str, ...]:
    """Every metric of the run, the one that ranks first, then those of the closing table."""
    run = results.run
    found = dict.fromkeys(name for record in results.complete for name in record.cycles[-1].metrics)
    return tuple(dict.fromkeys(name for name in (run.metric, *run.headline, *found) if name in found))
