"""How many labels samplers save against Random."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alharness.report.cells import Column, Table, Value, between, bold, count, number, parts
from alharness.report.document import Section
from alharness.report.tables import seeds_column
from alharness.results.efficiency import ENOUGH_FOR_INTERVAL, RESAMPLES, saving, targets
from alharness.text import numbers
from alharness.text.numbers import NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.results.efficiency import Saving
    from alharness.results.run import RunResults


ABOUT_INTERVALS = (
    "In bold: a saving of the recommended sampler whose interval excludes 0. Nothing else is tested. An interval "
    "speaks of one sampler alone: of nine samplers that are all equal, in one report of seven at least one has an "
    "interval that excludes 0. Unbounded: in some resamples one of the two never reaches the target."
)


def section(results: RunResults, wanted: Sequence[float] = ()) -> Section:
    """A table per target: Random's final value, most of the way to all labels, and those that the user named."""
    run, random = results.run, results.random
    if random is None:
        text = "Savings are counted against Random, which was not run: add `random` to the spec."
        return Section(anchor="efficiency", title="Label efficiency", paragraphs=[text])
    about = (
        "Labels at which a sampler's mean curve first reaches a target, on straight lines between cycles, and how "
        "many fewer that is than for Random over the same seeds. A target that was not reached is said to be so, "
        "never counted as the last labeled count."
    )
    intervals = (
        f"The interval is from {RESAMPLES:,} resamples of the seeds, paired with Random's, and is widened for "
        f"their small number (Hesterberg, 2015); it needs {ENOUGH_FOR_INTERVAL} seeds."
    )
    if run.stopping:
        intervals = "There is no interval, since seeds stopped when the areas under the curves were decided."
    counted = f"The {run.valid:,} validation samples count as labels." if run.count_valid and run.valid else ""
    return Section(
        anchor="efficiency",
        title="Label efficiency",
        paragraphs=[about, intervals, counted],
        tables=[
            _table(results, random, number, *target)
            for number, target in enumerate(targets(results, random, wanted))
        ],
    )


def _table(results: RunResults, random: str, index: int, target: float | None, meaning: str) -> Table:
    seed_sets = [seed_set for seed_set in results.basis.seed_sets if random in seed_set.labels]
    goals = [results.row(random, seed_set).final[results.metric].value for seed_set in seed_sets]
    if target is not None:
        what = f"{results.metric} {number(target).text}: {meaning}"
        goals = [target] * len(goals)
    elif len(seed_sets) > 1:
        what = f"Random's mean {results.metric} after the last cycle, over the seeds of each part"
    else:
        what = f"Random's mean after the last cycle, {results.metric} {number(goals[0]).text}"
    rows = [
        (label, seed_set, goal, saving(results, label, random, target, seed_set.seeds))
        for seed_set, goal in zip(seed_sets, goals, strict=True)
        for label in seed_set.labels
    ]
    first, last = results.labeled[0], results.labeled[-1]
    saved = [
        saved_cells(None if label == random else s, last, claimed=label == results.advice.label)
        for label, _, _, s in rows
    ]
    fewer, shares, intervals = zip(*saved, strict=True)
    return Table(
        name=f"labels_to_target_{index}",
        title=f"To {what}",
        columns=[
            Column("sampler", [bold(label) for label, *_ in rows]),
            Column("n", [count(s.n) for *_, s in rows]),
            *([Column("target", [number(goal) for _, _, goal, _ in rows])] if len(seed_sets) > 1 else []),
            Column("seeds that reach it", [_reached(s) for *_, s in rows], name="reached"),
            Column("labels", [_labels(s.needed, first, last) for *_, s in rows]),
            Column("saved against Random", fewer, name="saved", strong="claimed"),
            Column("in %", shares, name="saved_percent"),
            *([] if results.run.stopping else [Column("95 % CI", intervals, name="saved_ci")]),
            *seeds_column(results, [seed_set.seeds for _, seed_set, *_ in rows]),
        ],
        apart=parts(seed_set.seeds for _, seed_set, *_ in rows),
        note="" if results.run.stopping else ABOUT_INTERVALS,
    )


def _reached(s: Saving) -> Value:
    return Value(text=f"{s.reached} of {s.n}", number=s.reached, more={"of": s.n})


def _labels(value: float, first: int, last: int) -> Value:
    if math.isinf(value):
        return Value(text=f"not within {last:,}", number=value)
    if value <= first:
        return Value(text=f"≤ {first:,}", number=first, note="or fewer")
    return number(value, numbers.count)


def saved_cells(s: Saving | None, last: int, *, claimed: bool) -> tuple[Value | str, Value | str, Value | str]:
    """Labels saved, in bold if that is claimed and sure; in per cent; and their interval.

    Args:
        s: the saving; None for Random itself.
        last: labels after the last cycle.
        claimed: whether the sampler is recommended.
    """
    if s is None:
        return NOTHING, NOTHING, NOTHING
    bounded = s.n >= ENOUGH_FOR_INTERVAL and any(math.isfinite(end) and end != 0 for end in (s.low, s.high))
    interval = between(s.low, s.high) if bounded else NOTHING
    if math.isfinite(s.value):
        share = number(100 * s.value / s.reference, 0)
        return number(s.value, numbers.count, strong=claimed and s.sure), share, interval
    if math.isfinite(s.needed):  # Random alone never reaches it
        least = last - s.needed
        return Value(text=f"more than {numbers.count(least)}", number=least, note="or more"), NOTHING, interval
    return "none: not reached" if math.isfinite(s.reference) else "neither reaches it", NOTHING, interval
