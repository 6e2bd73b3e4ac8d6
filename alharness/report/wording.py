"""Figures of a report in words, for its answers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alharness.text.numerals import interval, p_value, seconds, significant, typeset

from .cost import cost, incomparable

if TYPE_CHECKING:
    from .significance import Difference
    from .study import Study
MOST = 3
"""How many differences a sentence shows; it only names further samplers."""


def area(study: Study) -> str:
    """What samplers are ranked by."""
    return f"the area under the curve of {study.scores.metric} ({study.scores.better})"


def size(study: Study, one: str, other: str) -> str:
    """A paired difference with its interval and its number of seeds."""
    pair = study.pairs[one, other]
    return f"{typeset(interval(pair.value, pair.half, of=study.areas[other].value))} (n = {pair.n})"


def ahead(study: Study) -> str:
    """Who has a better mean than the recommended sampler and is not shown to be better, and by how much."""
    best, found = str(study.advice.label), study.advice.ahead
    text = ", ".join(f"{label} by {size(study, label, best)}" for label in found[:MOST])
    return text + (f"; also {', '.join(found[MOST:])}" if len(found) > MOST else "")


def tested(study: Study, label: str) -> str:
    """What the test of a sampler against Random says."""
    random = str(study.random)
    pair = study.pairs[label, random]
    tests = sum(not math.isnan(d.p) for d in study.pairs.values()) // 2
    what = f"{label} against Random, paired by seed: {size(study, label, random)}"
    if math.isnan(pair.p):
        same = "nothing differs in any seed" if pair.value == 0 else "the difference is the same in every seed"
        return f"{what}; {same}, so that there is nothing to test."
    corrected = f"after Holm's correction over {tests} pairs" if tests > 1 else "in the only test"
    return f"{what}, {p_value(pair.adjusted)} {corrected}{_effect(pair)}."


def detectable(pair: Difference) -> str:
    """What difference so many seeds could have shown."""
    if not pair.detectable > 0:
        return "The seeds do not differ, so that nothing is known of what they could detect"
    least = significant(pair.detectable, 2)
    return f"With these seeds a difference of about {least} is found in four of five experiments"


def missing(study: Study) -> list[str]:
    """Which seeds and which cells are not compared."""
    return [*study.basis.gaps(), *(f"{sentence}." for sentence in study.basis.refused)]


def quickest(study: Study, labels: list[str]) -> str:
    """Which of these samplers takes the least time for a query, if their times can be compared."""
    if incomparable(study):
        return ""
    times = {label: cost(study, label).query["query_seconds"].value for label in labels}
    label = min(times, key=lambda x: times[x])
    return (
        f" The quickest of these is {label}, {seconds(times[label])} a query."
        if not math.isnan(times[label])
        else ""
    )


def number_of_seeds(n: int) -> str:
    """A number of seeds."""
    return "one seed" if n == 1 else f"{n} seeds"


def _effect(pair: Difference) -> str:
    return (
        "" if math.isnan(pair.effect) else f", effect {typeset(significant(pair.effect, 2))} standard deviations"
    )
