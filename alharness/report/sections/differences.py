"""Who is better than whom, and how sure that is."""

from __future__ import annotations

import math
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from alharness.report.document import Column, Picture, Section, Table, Value, count, interval, number, probability
from alharness.report.lettering import names
from alharness.results.basis import seed_list
from alharness.results.penalty import penalties
from alharness.results.settings import ENOUGH_SETTINGS
from alharness.results.statistics import ENOUGH, ENOUGH_FOR_RANKS, mean
from alharness.text.numbers import fixed, significant

from . import matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from alharness.report.palette import Styles
    from alharness.results.basis import SeedSet
    from alharness.results.penalty import Penalties
    from alharness.results.run import RunResults
    from alharness.results.statistics import Difference

MOST = 6
"""Pairs that are named; of more, their number."""


def section(results: RunResults, styles: Styles) -> Section | None:
    """Areas, paired differences of areas, and the penalty matrix."""
    if not results.labels:
        return None
    pictures, tables, paragraphs = [_areas(results, styles)], [], list[str]()
    if len(results.labels) > 1:
        tables += _pairs(results)
    if results.random and len(results.labels) > 1:
        found = penalties([results], results.labels)
        if found.tests:
            pictures.append(penalty_matrix(found))
            paragraphs.append(_about(found))
    pairs = {(one, other): results.pairs[one, other].n for one, other in combinations(results.labels, 2)}
    if few := [f"{one} and {other} ({n})" for (one, other), n in pairs.items() if n < ENOUGH]:
        more = f" and {len(few) - MOST} more" if len(few) > MOST else ""
        paragraphs.append(
            f"Pairs that share fewer than {ENOUGH} seeds are not tested: {', '.join(few[:MOST])}{more}."
        )
    if any(ENOUGH <= n < ENOUGH_FOR_RANKS for n in pairs.values()):
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


def _areas(results: RunResults, styles: Styles) -> Picture:
    metric = results.metric
    rows = [
        (label, seed_set, "" if seed_set is results.basis.seed_sets[0] else f" ({seed_list(seed_set.seeds)})")
        for seed_set in results.basis.seed_sets
        for label in sorted(seed_set.labels, key=results.ranked.index)
    ]
    return Picture(
        name="areas",
        title=f"Area under the curve of {metric} ({results.better})",
        text=f"Mean area under the curve of {metric} of each sampler with its interval and every seed",
        draw=partial(_draw_areas, results=results, rows=rows[::-1], styles=styles),
        size=(6.0, 1.2 + 0.36 * len(rows)),
    )


def _draw_areas(
    figure: Figure, results: RunResults, rows: Sequence[tuple[str, SeedSet, str]], styles: Styles
) -> None:
    axes = figure.add_subplot()
    shown = names(label for label, _, _ in rows)
    for row, (label, seed_set, _) in enumerate(rows):
        color, marker, _ = styles[label]
        areas = results.areas_of(label, seed_set.seeds)
        found = mean(areas)
        axes.plot(areas, [row] * len(areas), "o", color=color, alpha=0.35, markersize=4, markeredgewidth=0)
        # Of two seeds the interval is 12.7 standard deviations to each side: nothing else could be seen.
        half = found.half if found.n >= ENOUGH else 0.0
        axes.errorbar(found.value, row, xerr=half, color=color, marker=marker, markersize=7, capsize=4)
    axes.set_yticks(range(len(rows)), [f"{shown[label]}{over}" for label, _, over in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel(f"area of {results.metric} ({results.better}); small dots are seeds")
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.grid(alpha=0.3, axis="x")


def _pairs(results: RunResults) -> list[Table]:
    """Against Random, and all of them, folded if there are more than that."""
    order = results.ranked
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    first = [pair for pair in pairs if results.random in pair]
    tables = [_table(results, first, "against_random", "of samplers and Random", len(pairs))] if first else []
    if len(first) < len(pairs):
        tables.append(_table(results, pairs, "differences", "of all pairs", len(pairs), folded=bool(first)))
    return tables


def _table(
    results: RunResults,
    pairs: Sequence[tuple[str, str]],
    name: str,
    whose: str,
    family: int,
    *,
    folded: bool = False,
) -> Table:
    return Table(
        name=name,
        title=f"Paired differences {whose}: area of {results.metric}, larger being better for the first",
        headings=(
            *("pair", "n"),
            Column(text="difference ± 95 % CI", name="difference", of=_size(results)),
            *("effect", "p", "p (Holm)", "p (Wilcoxon)"),
            Column(text="at 5 %", name="verdict"),
            "detectable",
        ),
        rows=[_row(one, other, results.pairs[one, other]) for one, other in pairs],
        note="Differences of the same seed: mean, interval and p by the paired t-test, which takes them to be "
        f"normal. Effect: mean over standard deviation of the differences. Holm's correction is over {family} "
        f"pair{'' if family == 1 else 's'}; intervals are not corrected. Detectable: the difference that four of "
        "five such experiments would find.",
        folded=folded,
    )


def _size(results: RunResults) -> float:
    return max((abs(area.value) for area in results.areas.values() if math.isfinite(area.value)), default=0.0)


def _row(one: str, other: str, d: Difference) -> list[Value | str]:
    none = d.n > 1 and d.value == 0 and d.sd == 0
    return [
        Value(text=f"{one} − {other}", strong=d.significant, more={"first": one, "second": other}),
        count(d.n),
        Value(text="none in any seed", number=0.0, half=0.0)
        if none
        else interval(d.value, d.half, strong=d.significant),
        number(d.effect, partial(fixed, decimals=2)),
        probability(d.p),
        probability(d.adjusted),
        probability(d.p_ranks),
        _verdict(d),
        number(d.detectable, partial(significant, digits=2)) if d.detectable > 0 else "–",
    ]


def _verdict(d: Difference) -> Value | str:
    if d.n < ENOUGH:
        return "too few seeds"
    if math.isnan(d.p):
        return "equal" if d.value == 0 else "not tested: the same in every seed"
    if d.significant:
        return Value(text="significant" if d.better else "significant: worse", strong=True)
    return "not significant"


def penalty_matrix(found: Penalties, most: int = 1) -> Picture:
    """The matrix with the means of its columns; `most` is the largest possible entry."""
    rows = (*found.labels, "column mean ↓")
    values = found.matrix.copy()
    values[~found.tested] = np.nan
    return Picture(
        name="penalties",
        title="Pairwise penalty matrix: how often a row beats a column",
        text="Matrix of how often, over checkpoints, the row's sampler is significantly better than the column's",
        draw=partial(
            matrix.draw,
            values=np.vstack([values, found.column_means]),
            rows=rows,
            columns=found.labels,
            most=most,
        ),
        size=matrix.size(rows, found.labels),
    )


def _about(found: Penalties) -> str:
    return (
        f"Penalty matrix (Ash et al., 2020): {found.tests} paired t-tests (n = {found.seeds} or more), of all "
        "pairs at "
        f"{', '.join(f'{n:,}' for n in found.checkpoints)} labels, in one family of Holm's correction. "
        "Checkpoints double in distance and end when Random has 99 % of its final value; the initial pool is "
        "none, since all samplers share its model. An entry is the share of checkpoints at which the row is "
        "significantly better; a column's mean over the others shows how often it is beaten. Zeros everywhere "
        "mean that nothing was shown."
    )
