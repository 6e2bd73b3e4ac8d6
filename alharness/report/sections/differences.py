"""Who is better than whom, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from alharness.report.answers import correction, kind_of_test, naming
from alharness.report.cells import Column, Table, Value, bold, count, interval, number, probability
from alharness.report.document import Picture, Section
from alharness.report.pictures import matrix
from alharness.results.basis import seed_list
from alharness.results.penalty import penalties
from alharness.results.settings import ENOUGH_SETTINGS
from alharness.results.statistics import ENOUGH, ENOUGH_FOR_RANKS
from alharness.text.numbers import significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from alharness.report.pictures import Styles
    from alharness.results.penalty import Penalties
    from alharness.results.run import RunResults
    from alharness.results.statistics import Difference

MOST = 6
"""Pairs that are named; of more, their number."""


def section(results: RunResults, styles: Styles) -> Section:
    """Areas, paired differences of areas, and the penalty matrix."""
    controls = [label for label in results.ranked if label in results.run.controls]
    order = [label for label in results.ranked if label not in (results.random, *controls)]
    against_random = [(label, results.random) for label in order if results.random]
    others = list(combinations(order, 2))
    pictures, tables, paragraphs = [areas(results, styles)], [], list[str]()
    if against_random:
        shown, worse = results.advice.shown, results.advice.worse
        found = (
            naming("Shown to be better than Random", shown),
            naming("Shown to be worse than Random", worse),
            naming("Not shown to differ from Random", [x for x in order if x not in (*shown, *worse)]),
        )
        paragraphs.append(" ".join(filter(None, found)))
        tables.append(_table(results, "against_random", "of samplers and Random", against_random))
        matrices = penalties([results], [label for label in results.labels if label not in controls])
        if matrices.tests:
            pictures.append(penalty_matrix(matrices))
            paragraphs.append(
                f"Penalty matrix (Ash et al., 2020): {matrices.tests} {kind_of_test(results.run)} (n = "
                f"{matrices.seeds} or more), of all pairs at {', '.join(f'{n:,}' for n in matrices.checkpoints)} "
                f"labels, in one family of {correction(results.run)} correction. Checkpoints double in distance "
                "and end when Random has 99 % of its final value; the initial pool is none, since all samplers "
                "share its model. An entry is the share of checkpoints at which the row is significantly better; "
                "a column's mean over the others shows how often it is beaten. Zeros everywhere mean that nothing "
                "was shown."
            )
    if others:
        every = _table(results, "differences", "of samplers with each other", others)
        tables.append(replace(every, folded=bool(against_random)))
    if controls:
        tables.append(_table(results, "controls", "of controls and samplers", results.families[-1]))
    seeds = {pair: results.pairs[pair].n for pair in combinations(results.labels, 2)}
    if few := [f"{one} and {other} ({n})" for (one, other), n in seeds.items() if n < ENOUGH]:
        more = f" and {len(few) - MOST} more" if len(few) > MOST else ""
        paragraphs.append(
            f"Pairs that share fewer than {ENOUGH} seeds are not tested: {', '.join(few[:MOST])}{more}."
        )
    if any(ENOUGH <= n < ENOUGH_FOR_RANKS for n in seeds.values()):
        paragraphs.append(
            f"Wilcoxon's test is not shown below {ENOUGH_FOR_RANKS} seeds: with {ENOUGH_FOR_RANKS - 1} its "
            f"smallest p is {significant(2 / 2 ** (ENOUGH_FOR_RANKS - 1), 2)}, so that it could never be below "
            "0.05."
        )
    paragraphs.append(
        f"One setting has no critical-difference diagram: that needs {ENOUGH_SETTINGS} of them "
        "(`alharness report RUN RUN …`)."
    )
    return Section(
        anchor="differences", title="Differences", paragraphs=paragraphs, pictures=pictures, tables=tables
    )


def areas(results: RunResults, styles: Styles) -> Picture:
    """The mean area of each sampler, with every seed."""
    metric, first = results.metric, results.basis.seed_sets[0]
    rows = [
        (label, seed_set, "" if seed_set is first else f" ({seed_list(seed_set.seeds)})")
        for seed_set in results.basis.seed_sets
        for label in sorted(seed_set.labels, key=results.ranked.index)
    ][::-1]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for place, (label, seed_set, _) in enumerate(rows):
            _, color, marker, _ = styles[label]
            areas = results.areas_of(label, seed_set.seeds)
            axes.plot(areas, [place] * len(areas), "o", color=color, alpha=0.35, markersize=4, markeredgewidth=0)
            mean = results.row(label, seed_set).area
            # Of two seeds the interval is 12.7 standard deviations to each side: nothing else could be seen.
            half = mean.half if mean.n >= ENOUGH and not math.isnan(mean.half) else 0.0
            axes.errorbar(mean.value, place, xerr=half, color=color, marker=marker, markersize=7, capsize=4)
        axes.set_yticks(range(len(rows)), [f"{styles[label].name}{over}" for label, _, over in rows])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel(f"area of {metric} ({results.better}); small dots are seeds")
        axes.ticklabel_format(axis="x", useOffset=False)
        axes.grid(alpha=0.3, axis="x")

    return Picture(
        name="areas",
        title=f"Area under the curve of {metric} ({results.better})",
        text=f"Mean area under the curve of {metric} of each sampler with its interval and every seed",
        draw=draw,
        size=(6.0, 1.2 + 0.36 * len(rows)),
    )


def _table(results: RunResults, name: str, whose: str, pairs: Sequence[tuple[str, str]]) -> Table:
    found = [results.pairs[pair] for pair in pairs]
    family = max(d.tests for d in found)
    largest = max((abs(area.value) for area in results.areas.values() if math.isfinite(area.value)), default=0.0)
    two_digits = partial(significant, digits=2)
    return Table(
        name=name,
        title=f"Paired differences {whose}: area of {results.metric}, larger being better for the first",
        columns=[
            Column("pair", [_pair(*pair, strong=d.significant) for pair, d in zip(pairs, found, strict=True)]),
            Column("n", [count(d.n) for d in found]),
            Column("difference ± 95 % CI", list(map(_difference, found)), name="difference", of=largest),
            Column("effect", [number(d.effect, 2) for d in found]),
            Column("p", [probability(d.p) for d in found]),
            Column("p corrected", [probability(d.adjusted) for d in found], name="p_corrected"),
            Column("p (Wilcoxon)", [probability(d.p_ranks) for d in found]),
            Column("at 5 %", list(map(_verdict, found)), name="verdict"),
            Column("detectable", [number(d.detectable or math.nan, two_digits) for d in found]),
        ],
        note=f"{_method(results, family)} Effect: mean over standard deviation of the differences. Detectable: "
        "the difference that four of five such experiments would show.",
    )


def _method(results: RunResults, family: int) -> str:
    """How differences are tested, and what is corrected."""
    over = f"{correction(results.run)} correction is over {family} pair{'' if family == 1 else 's'}"
    if results.run.statistics == "paired_t":
        return (
            "Differences of the same seed: mean, interval and p by the paired t-test, which takes them to be "
            f"normal. {over}; intervals are not corrected."
        )
    return (
        "Differences of the same seed. A difference is shown if its interval excludes 0. Interval and p are by "
        "Student's t, with the variance of the difference drawn toward the mean variance of all differences of "
        f"this table, the less, the more these differ. {over}, for intervals as well, so that all of them hold at "
        "once with 95 % confidence."
    )


def _pair(one: str, other: str, *, strong: bool) -> Value:
    return Value(text=f"{one} − {other}", strong=strong, more={"first": one, "second": other})


def _difference(d: Difference) -> Value:
    if d.n > 1 and d.value == 0 and d.sd == 0:
        return Value(text="none in any seed", number=0.0, half=0.0)
    return interval(d.value, d.half, strong=d.significant)


def _verdict(d: Difference) -> Value | str:
    if d.n < ENOUGH:
        return "too few seeds"
    if math.isnan(d.p):
        return "equal" if d.value == 0 else "not tested: the same in every seed"
    if d.significant:
        return bold("significant" if d.better else "significant: worse")
    return "not significant"


def penalty_matrix(found: Penalties, most: int = 1) -> Picture:
    """The matrix with the means of its columns; `most` is the largest possible entry."""
    return matrix(
        name="penalties",
        title="Pairwise penalty matrix: how often a row beats a column",
        text="Matrix of how often, over checkpoints, the row's sampler is significantly better than the column's",
        values=np.vstack([np.where(found.tested, found.matrix, np.nan), found.column_means]),
        rows=(*found.labels, "column mean ↓"),
        columns=found.labels,
        most=most,
    )
