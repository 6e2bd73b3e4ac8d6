"""Which sampler to use: one that is shown to be better than Random, or Random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .significance import ENOUGH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .basis import Basis
    from .scores import Scores
    from .significance import Difference

    Pairs = Mapping[tuple[str, str], Difference]


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """What follows from the paired differences.

    Attributes:
        label: the sampler to use; Random if none is shown to be better; None without Random.
        shown: samplers that are shown to be better than Random, the recommended one first.
        worse: samplers that are shown to be worse than Random.
        ahead: samplers that are not shown to be better than Random, and have a better mean than the recommended
            one over the seeds that both have, the largest difference first.
        apart: why the samplers that are shown to be better cannot be compared with each other; empty if they can.
    """

    label: str | None
    shown: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    apart: str = ""


def recommend(cells: Basis, scores: Scores, pairs: Pairs) -> Recommendation:
    """Of the samplers shown to be better than Random, the one with the best paired mean.

    Args:
        cells: the cells that count.
        scores: curves of the metric that ranks.
        pairs: (one, other) -> difference, corrected over all comparisons.
    """
    random = cells.random
    if random is None:
        return Recommendation(label=None)
    rivals = [label for label in cells.labels if label not in cells.randoms]
    shown = [label for label in rivals if pairs[label, random].better]
    seeds = frozenset(cells.cells[random]).intersection(*(cells.cells[label] for label in shown))
    apart = ""
    if len(seeds) >= ENOUGH:
        sign = -1 if scores.lower_is_better else 1
        means = {x: sign * float(np.mean(scores.areas(scores.pair(x, x, seeds)[0]))) for x in shown}
    else:
        means = {x: pairs[x, random].value for x in shown}
        apart = f"{', '.join(shown)} share fewer than {ENOUGH} seeds, so that their means cannot be compared"
    shown.sort(key=lambda label: -means[label])
    best = shown[0] if shown else random
    ahead = [x for x in rivals if x not in (*shown, best) and pairs[x, best].value > 0]
    return Recommendation(
        label=best,
        shown=tuple(shown),
        worse=tuple(label for label in rivals if pairs[label, random].worse),
        ahead=tuple(sorted(ahead, key=lambda label: -pairs[label, best].value)),
        apart=apart if len(shown) > 1 else "",
    )
