"""What every section of a report looks at: a run's results, and its samplers held against each other."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

from .palette import styles
from .scores import scores
from .significance import Difference, difference, holm
from .statistics import Mean, mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .palette import Style
    from .reading import Results
    from .scores import Scores

RANDOM = "random"


@dataclass(frozen=True, kw_only=True)
class Study:
    """A run, ready to be reported.

    Attributes:
        results: what stands on disk.
        scores: curves of the metric that ranks.
        labels: samplers with at least one finished seed, in the order of the spec.
        random: label of the sampler `random`; None where it is not among them.
        areas: sampler -> mean area under the budget curve.
        pairs: (one, other) -> difference of their areas, larger being better for the first, with Holm's correction
            over all pairs; both orders are there.
        styles: how a sampler is drawn.
    """

    results: Results
    scores: Scores
    labels: tuple[str, ...]
    random: str | None
    areas: Mapping[str, Mean]
    pairs: Mapping[tuple[str, str], Difference]
    styles: Mapping[str, Style]

    @property
    def ranked(self) -> tuple[str, ...]:
        """Samplers by their mean area, the best first, those without one last."""
        sign = 1 if self.scores.lower_is_better else -1
        areas = {label: self.areas[label].value for label in self.labels}
        return tuple(sorted(self.labels, key=lambda label: (math.isnan(areas[label]), sign * areas[label])))


def study(results: Results, drawn: Mapping[str, Style] | None = None) -> Study:
    """Compare the samplers of a run; `drawn` are styles that hold beyond this run."""
    run = results.run
    found = scores(results, run.metric)
    labels = tuple(label for label in run.labels if found.curves[label])
    names = {record.cell.label: record.cell.sampler for record in results.record.cells}
    pairs = {}
    for one, other in combinations(labels, 2):
        a, b = found.pair(one, other)
        areas = found.areas(a), found.areas(b)
        pairs[one, other] = difference(*areas, lower_is_better=found.lower_is_better, with_ranks=True)
    adjusted = holm([pair.p for pair in pairs.values()])
    pairs = {key: replace(pair, adjusted=p) for (key, pair), p in zip(pairs.items(), adjusted, strict=True)}
    pairs |= {(other, one): replace(pair, value=-pair.value) for (one, other), pair in pairs.items()}
    return Study(
        results=results,
        scores=found,
        labels=labels,
        random=next((label for label in labels if names[label] == RANDOM), None),
        areas={x: mean(found.areas(found.pair(x, x)[0])) for x in labels},
        pairs=pairs,
        styles=drawn or styles(run.labels),
    )
