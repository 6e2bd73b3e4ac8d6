"""Our figures next to those of a paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alharness.api.records import FULL_DATA

from .basis import seed_list
from .statistics import alike
from .summary import COSTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .basis import SeedSet
    from .run import RunResults
    from .statistics import Mean


@dataclass(frozen=True, kw_only=True)
class PaperComparison:
    """Our figures and a paper's.

    Attributes:
        source: the paper.
        labels: number of labels at which both are.
        metrics: names of metrics and costs.
        rows: label of a sampler, seeds that ours is averaged over, and for each of the metrics and costs ours and
            the paper's, None if there is none. One that lacks seeds follows with Random over the same seeds.
    """

    source: str
    labels: int
    metrics: tuple[str, ...]
    rows: Sequence[tuple[str, tuple[int, ...], Sequence[tuple[Mean | None, float | None]]]]

    @property
    def over(self) -> str:
        """Over which seeds ours are, in words."""
        seeds = list(dict.fromkeys(seeds for _, seeds, _ in self.rows))
        return "; ".join(seed_list(found) for found in seeds)


def compare_with_paper(results: RunResults) -> PaperComparison | None:
    """Sampler x metric, each as ours and the paper's.

    None if the spec names no paper, if the data are synthetic, so that a comparison would mean nothing, or if
    nothing is finished yet that could be compared.
    """
    run = results.run
    paper = run.paper
    if paper is None or run.synthetic:
        return None
    metrics = tuple(dict.fromkeys(name for figures in paper.values.values() for name in figures))
    at = paper.labels or run.schedule.labeled[-1]
    rows = []
    for seed_set in results.basis.seed_sets:
        ours = _ours(results, seed_set, at, metrics)
        rows += [
            (label, seed_set.seeds, [(ours[label].get(name), paper.values[label].get(name)) for name in metrics])
            for label in paper.values
            if label in seed_set.rows and any(name in ours[label] for name in paper.values[label])
        ]
    return PaperComparison(source=paper.source, labels=at, metrics=metrics, rows=rows) if rows else None


def _ours(results: RunResults, seed_set: SeedSet, at: int, metrics: Iterable[str]) -> dict[str, dict[str, Mean]]:
    """Label -> metric or cost -> mean over the seeds of a seed set, of what is measured at so many labels.

    A reference has all labels, whatever their number.
    """
    labeled = results.run.schedule.labeled
    cycle = labeled.index(at) if at in labeled else -1
    cells = {x: results.basis.of(seed_set, x) for x in seed_set.rows if x == FULL_DATA or at in labeled}
    found: dict[str, dict[str, Mean]] = {label: {} for label in seed_set.rows}
    for name in metrics:
        for label, value in alike({x: results.curves(x, seed_set.seeds, name)[:, cycle] for x in cells}).items():
            if any(name in cell.cycles[-1 if label == FULL_DATA else cycle].metrics for cell in cells[label]):
                found[label][name] = value
    for label in cells:
        costs = results.row(label, seed_set).costs
        found[label] |= {name: costs[name] for name in COSTS}
    return found
