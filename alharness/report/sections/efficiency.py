"""How many labels samplers save against Random."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alharness.report.answers import bounds
from alharness.report.document import Section, Table, Value, number
from alharness.report.efficiency import ENOUGH, RESAMPLES, Target, saving
from alharness.report.scores import references
from alharness.report.statistics import mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.report.efficiency import Saving
    from alharness.report.study import Study

SHARE = 0.95
"""Of the way from Random's first value to that of a model trained with all labels."""


def section(study: Study, wanted: Sequence[float] = ()) -> Section | None:
    """A table per target: Random's final value, most of the way to all labels, and those that the user named."""
    if not study.labels:
        return None
    title = "Label efficiency"
    if study.random is None:
        return Section(
            anchor="efficiency",
            title=title,
            paragraphs=("Savings are counted against Random, which was not run: add `random` to the spec.",),
        )
    return Section(
        anchor="efficiency",
        title=title,
        paragraphs=(
            (
                "Labels at which a sampler's mean curve first reaches a target, on straight lines between cycles, "
                "and how many fewer that is than for Random. The interval is from "
                f"{RESAMPLES:,} resamples of the seeds, paired with Random's, and is widened for their small "
                f"number (Hesterberg, 2015); it needs {ENOUGH} seeds. "
                "A target that was not reached is said to be so, never counted as the last labeled count."
            ),
        ),
        tables=[
            _table(study, study.random, number, target) for number, target in enumerate(_targets(study, wanted))
        ],
    )


def _targets(study: Study, wanted: Sequence[float]) -> list[Target | None]:
    metric = study.scores.metric
    targets: list[Target | None] = [None]
    complete = references(study.results, lambda record: record.cycles[-1].metrics[metric])
    if complete and study.random:
        first = mean([curve[0] for curve in study.scores.curves[study.random].values()]).value
        value = first + SHARE * (mean(complete).value - first)
        targets.append(
            Target(value=value, meaning=f"{SHARE:.0%} of the way from the first model to one with all labels")
        )
    targets += [Target(value=value, meaning="as asked") for value in wanted]
    return targets


def _table(study: Study, random: str, index: int, target: Target | None) -> Table:
    scores = study.scores
    final = mean([curve[-1] for curve in scores.curves[random].values()]).value
    what = (
        f"Random's mean after the last cycle, {scores.metric} {final:.3f}"
        if target is None
        else f"{scores.metric} {target.value:.3f}: {target.meaning}"
    )
    found = {label: saving(scores, label, random, target) for label in study.labels}
    return Table(
        name=f"labels_to_target_{index}",
        title=f"To {what}",
        headings=(
            "sampler",
            "n",
            "seeds that reach it",
            "labels",
            "saved against Random",
            "in %",
            "95 % CI",
        ),
        rows=[
            [
                Value(text=label, strong=True),
                Value(text=str(s.n), number=s.n),
                Value(text=f"{s.reached} of {s.n}", number=s.reached),
                _labels(s.needed, scores.labeled),
                *_saved(s, same=label == random, last=scores.labeled[-1]),
            ]
            for label, s in found.items()
        ],
        note="In bold: the interval excludes 0. Unbounded: in some resamples one of the two never reaches the "
        "target.",
    )


def _labels(value: float, labeled: Sequence[int]) -> Value:
    if math.isinf(value):
        return Value(text=f"not within {labeled[-1]:,}", number=value)
    return Value(text=f"≤ {labeled[0]:,}" if value <= labeled[0] else f"{value:,.0f}", number=value)


def _saved(s: Saving, *, same: bool, last: int) -> list[Value | str]:
    if same:
        return ["–", "–", "–"]
    bounded = s.n >= ENOUGH and any(math.isfinite(end) and end != 0 for end in (s.low, s.high))
    interval: Value | str = Value(text=bounds(s.low, s.high)) if bounded else "–"
    if math.isfinite(s.value):
        return [number(s.value, ",.0f", strong=s.sure), number(100 * s.value / s.reference, ".0f"), interval]
    if math.isfinite(s.needed):  # Random alone never reaches it
        return [Value(text=f"more than {last - s.needed:,.0f}", number=last - s.needed), "–", interval]
    return [Value(text="none: not reached" if math.isfinite(s.reference) else "neither reaches it"), "–", interval]
