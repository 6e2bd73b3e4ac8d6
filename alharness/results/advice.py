"""Which sampler to use in one setting: a rule, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .statistics import ENOUGH

if TYPE_CHECKING:
    from .run import RunResults


@dataclass(frozen=True, kw_only=True)
class Advice:
    """Which sampler to use: one that is shown to be better than Random, or Random.

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


def advise(results: RunResults) -> Advice:
    """Of the samplers shown to be better than Random, the one with the best paired mean."""
    random, pairs = results.random, results.pairs
    if random is None:
        return Advice(label=None)
    rivals = [label for label in results.labels if label not in (*results.basis.randoms, *results.run.controls)]
    shown = [label for label in rivals if pairs[label, random].better]
    seeds, apart = results.basis.shared(random, *shown), ""
    if len(seeds) >= ENOUGH:
        sign = -1 if results.lower_is_better else 1
        means = {label: sign * float(results.areas_of(label, seeds).mean()) for label in shown}
    else:
        means = {label: pairs[label, random].value for label in shown}
        apart = f"{', '.join(shown)} share fewer than {ENOUGH} seeds, so that their means cannot be compared"
    shown.sort(key=lambda label: -means[label])
    best = shown[0] if shown else random
    ahead = [label for label in rivals if label not in (*shown, best) and pairs[label, best].value > 0]
    return Advice(
        label=best,
        shown=tuple(shown),
        worse=tuple(label for label in rivals if pairs[label, random].worse),
        ahead=tuple(sorted(ahead, key=lambda label: -pairs[label, best].value)),
        apart=apart if len(shown) > 1 else "",
    )
