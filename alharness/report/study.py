"""What every section of a report looks at: a run's results, and its samplers compared with each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

from .basis import basis
from .palette import styles
from .recommendation import recommend
from .scores import scores
from .significance import difference, holm
from .statistics import mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .basis import Basis
    from .palette import Style
    from .reading import Results
    from .recommendation import Recommendation
    from .scores import Scores
    from .significance import Difference
    from .statistics import Mean


@dataclass(frozen=True, kw_only=True)
class Study:
    """A run, ready to be reported.

    Attributes:
        results: what is on disk.
        basis: the cells that count, and whose means may be compared.
        scores: curves of the metric that ranks.
        areas: sampler -> mean area under the budget curve, over the seeds of its first group.
        pairs: (one, other) -> difference of their areas over the seeds that both have, larger being better for the
            first, with Holm's correction over all pairs; both orders are there.
        advice: which sampler to use.
        styles: how a sampler is drawn.
    """

    results: Results
    basis: Basis
    scores: Scores
    areas: Mapping[str, Mean]
    pairs: Mapping[tuple[str, str], Difference]
    advice: Recommendation
    styles: Mapping[str, Style]

    @property
    def labels(self) -> tuple[str, ...]:
        """Samplers with at least one cell that counts, in the order of the spec."""
        return self.basis.labels

    @property
    def random(self) -> str | None:
        """Label of the sampler `random`; None if it has no cell that counts."""
        return self.basis.random

    @property
    def ranked(self) -> tuple[str, ...]:
        """Samplers group by group, in each by the mean area over its seeds, the best first."""
        sign = 1 if self.scores.lower_is_better else -1
        order: dict[str, None] = {}
        for group in self.basis.groups:
            mine = [label for label in group.labels if label not in order]
            order |= dict.fromkeys(sorted(mine, key=lambda label: sign * self.areas[label].value))
        return tuple(order)


def study(results: Results, drawn: Mapping[str, Style] | None = None) -> Study:
    """Compare the samplers of a run; `drawn` are styles that hold beyond this run."""
    run = results.run
    cells = basis(run, results.record, results.contexts)
    found = scores(results, run.metric, cells)
    pairs = {}
    for one, other in combinations(cells.labels, 2):
        a, b = found.pair(one, other)
        pairs[one, other] = difference(
            found.areas(a), found.areas(b), lower_is_better=found.lower_is_better, with_ranks=True
        )
    adjusted = holm([pair.p for pair in pairs.values()])
    pairs = {key: replace(pair, adjusted=p) for (key, pair), p in zip(pairs.items(), adjusted, strict=True)}
    pairs |= {(other, one): replace(pair, value=-pair.value) for (one, other), pair in pairs.items()}
    areas = {
        label: mean(found.areas(found.pair(label, label, cells.home(label).seeds)[0])) for label in cells.labels
    }
    return Study(
        results=results,
        basis=cells,
        scores=found,
        areas=areas,
        pairs=pairs,
        advice=recommend(cells, found, pairs),
        styles=drawn or styles(run.labels),
    )
