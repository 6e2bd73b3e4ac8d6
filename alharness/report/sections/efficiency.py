"""How many labels samplers save against Random."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from alharness.api.records import FULL_DATA
from alharness.report.document import Column, Section, Table, Value, between, count, number
from alharness.report.table import parts
from alharness.results.basis import listed, seed_list
from alharness.results.efficiency import ENOUGH_FOR_INTERVAL, RESAMPLES, saving
from alharness.results.statistics import mean
from alharness.text import numbers
from alharness.text.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.results.efficiency import Saving
    from alharness.results.run import RunResults

SHARE = 0.95
"""Of the way from Random's first value to that of a model trained with all labels."""


def section(results: RunResults, wanted: Sequence[float] = ()) -> Section | None:
    """A table per target: Random's final value, most of the way to all labels, and those that the user named."""
    if not results.labels:
        return None
    title = "Label efficiency"
    if results.random is None:
        return Section(
            anchor="efficiency",
            title=title,
            paragraphs=("Savings are counted against Random, which was not run: add `random` to the spec.",),
        )
    run = results.run
    return Section(
        anchor="efficiency",
        title=title,
        paragraphs=(
            (
                "Labels at which a sampler's mean curve first reaches a target, on straight lines between cycles, "
                "and how many fewer that is than for Random over the same seeds. The interval is from "
                f"{RESAMPLES:,} resamples of the seeds, paired with Random's, and is widened for their small "
                f"number (Hesterberg, 2015); it needs {ENOUGH_FOR_INTERVAL} seeds. "
                "A target that was not reached is said to be so, never counted as the last labeled count."
            ),
            *([f"The {run.valid:,} validation samples count as labels."] if run.count_valid and run.valid else []),
        ),
        tables=[
            _table(results, results.random, number, target, meaning)
            for number, (target, meaning) in enumerate(_targets(results, wanted))
        ],
    )


def _targets(results: RunResults, wanted: Sequence[float]) -> list[tuple[float | None, str]]:
    """Values to be reached, and what they are; None for Random's own after the last cycle."""
    random = str(results.random)
    targets: list[tuple[float | None, str]] = [(None, "")]
    if seeds := results.basis.shared(random, FULL_DATA):
        first = mean(results.curves(random, seeds)[:, 0]).value
        last = mean(results.curves(FULL_DATA, seeds)[:, -1]).value
        meaning = (
            f"{percent(SHARE, 0)} of the way from the first model to one with all labels, over {seed_list(seeds)}"
        )
        targets.append((first + SHARE * (last - first), meaning))
    targets += [(value, "as asked") for value in wanted]
    return targets


def _table(results: RunResults, random: str, index: int, target: float | None, meaning: str) -> Table:
    seed_sets = [seed_set for seed_set in results.basis.seed_sets if random in seed_set.labels]
    finals = [mean(results.curves(random, seed_set.seeds)[:, -1]).value for seed_set in seed_sets]
    several = len(seed_sets) > 1
    if target is not None:
        what = f"{results.metric} {number(target).text}: {meaning}"
    elif several:
        what = f"Random's mean {results.metric} after the last cycle, over the seeds of each part"
    else:
        what = f"Random's mean after the last cycle, {results.metric} {number(finals[0]).text}"
    rows: list[list[Value | str]] = []
    for seed_set, final in zip(seed_sets, finals, strict=True):
        goal = final if target is None else target
        for label in seed_set.labels:
            s = saving(results, label, random, target, seed_set.seeds)
            rows.append(
                [
                    Value(text=label, strong=True),
                    count(s.n),
                    *([number(goal)] if several else []),
                    Value(text=f"{s.reached} of {s.n}", number=s.reached, more={"of": s.n}),
                    _labels(s.needed, results.labeled),
                    *_saved(
                        s, same=label == random, last=results.labeled[-1], claimed=label == results.advice.label
                    ),
                    *([listed(seed_set.seeds)] if several else []),
                ]
            )
    return Table(
        name=f"labels_to_target_{index}",
        title=f"To {what}",
        headings=(
            "sampler",
            "n",
            *(["target"] if several else []),
            Column(text="seeds that reach it", name="reached"),
            "labels",
            Column(text="saved against Random", name="saved", strong="claimed"),
            Column(text="in %", name="saved_percent"),
            Column(text="95 % CI", name="saved_ci"),
            *(["seeds"] if several else []),
        ),
        rows=rows,
        apart=parts(seed_set.seeds for seed_set in seed_sets for _ in seed_set.labels),
        note="In bold: a saving of the recommended sampler whose interval excludes 0. Nothing else is tested. An "
        "interval speaks of one sampler alone: of nine samplers that are all equal, in one report of seven at "
        "least one has an interval that excludes 0. Unbounded: in some resamples one of the two never reaches the "
        "target.",
    )


def _labels(value: float, labeled: Sequence[int]) -> Value:
    if math.isinf(value):
        return Value(text=f"not within {labeled[-1]:,}", number=value)
    if value <= labeled[0]:
        return Value(text=f"≤ {labeled[0]:,}", number=labeled[0], note="or fewer")
    return number(value, numbers.count)


def _saved(s: Saving, *, same: bool, last: int, claimed: bool) -> list[Value | str]:
    if same:
        return ["–", "–", "–"]
    bounded = s.n >= ENOUGH_FOR_INTERVAL and any(math.isfinite(end) and end != 0 for end in (s.low, s.high))
    interval = between(s.low, s.high) if bounded else "–"
    if math.isfinite(s.value):
        return [
            number(s.value, numbers.count, strong=claimed and s.sure),
            number(100 * s.value / s.reference, partial(numbers.fixed, decimals=0)),
            interval,
        ]
    if math.isfinite(s.needed):  # Random alone never reaches it
        least = last - s.needed
        return [Value(text=f"more than {numbers.count(least)}", number=least, note="or more"), "–", interval]
    return [Value(text="none: not reached" if math.isfinite(s.reference) else "neither reaches it"), "–", interval]
