"""What the samplers chose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.vocabulary import Task
from alharness.report.document import Column, Picture, Section, Table, Value, interval, number
from alharness.report.lettering import legend, names, taller
from alharness.report.palette import REFERENCE
from alharness.results import chosen
from alharness.results.basis import seed_list
from alharness.results.statistics import mean
from alharness.text import numbers, spreadsheets

from . import matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from alharness.report.palette import Styles
    from alharness.results.chosen import Groups
    from alharness.results.run import RunResults
    from alharness.runs.pooltable import PoolTable

    Array = NDArray[Any]

COLUMNS = 3
"""Maps side by side."""
SHADES = ("#0072B2", "#56B4E9", "#F0E442", "#E69F00", "#D55E00", "#CC79A7", "#009E73", "#999999")
HATCHES = ("", "//", "..")
"""Beyond the shades, groups are hatched."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Choices:
    """Rows of the pool table that were chosen.

    Attributes:
        pool: the pool table.
        groups: its samples by their labels.
        everything: rows that could have been chosen; all of the table if that is not known.
        rows: sampler, with the seeds if it lacks some -> per seed, all that was chosen.
        cycles: the same -> of the first seed, per query.
    """

    pool: PoolTable
    groups: Groups
    everything: Array
    rows: Mapping[str, Sequence[Array]]
    cycles: Mapping[str, Sequence[Array]]


def section(results: RunResults, styles: Styles) -> Section | None:
    """Balance, contradictions, overlap, and a map; None if nothing is finished."""
    if not results.labels:
        return None
    pictures, tables, paragraphs = [], [], []
    if results.pool is None:
        paragraphs.append(
            "Labels and places of the chosen samples are not known, since the run left no table of its pool. "
            "Running "
            "the spec again writes it, and trains nothing that is finished."
        )
    else:
        choices = _choices(results, results.pool)
        pictures += [_balance(choices), _map(choices)]
        tables.append(_table(choices))
    if len(results.basis.seed_sets[0].labels) > 1 and results.run.schedule.sizes:
        overlaps = _overlaps(results)
        pictures += [_overlap(results, overlaps, styles), _matrix(results, overlaps)]
    return Section(
        anchor="chosen", title="What was chosen", paragraphs=paragraphs, pictures=pictures, tables=tables
    )


def _choices(results: RunResults, pool: PoolTable) -> _Choices:
    places = {name: row for row, name in enumerate(pool.ids)}
    nothing = np.zeros(0, np.int64)
    rows: dict[str, list[Array]] = {}
    cycles: dict[str, list[Array]] = {}
    first = results.basis.seed_sets[0]
    for seed_set in results.basis.seed_sets:
        over = "" if seed_set is first else f" ({seed_list(seed_set.seeds)})"
        for label in seed_set.labels:
            seeds = [chosen.rows_of(cell, places) for cell in results.basis.of(seed_set, label)]
            rows[f"{label}{over}"] = [np.concatenate([nothing, *queries]) for queries in seeds]
            if seed_set is results.basis.first_set(label):
                cycles[label if seed_set is first else f"{label} (seed {seed_set.seeds[0]})"] = seeds[0]
    return _Choices(
        pool=pool,
        groups=chosen.groups(pool),
        everything=np.arange(len(pool.ids)),
        rows=rows,
        cycles=cycles,
    )


def _table(choices: _Choices) -> Table:
    whole = choices.groups.shares(choices.everything)
    against = chosen.contradicting(choices.pool)
    headings: list[Column | str] = [
        Column(text="chosen by", name="sampler"),
        "imbalance",
        *([Column(text="contradicting", name="percent_contradicting")] if against is not None else []),
        # A minus would be lost in a name.
        *(
            Column(text=name, name=f"percent_{spreadsheets.name(name.replace('−', 'minus '))}")
            for name in choices.groups.names
        ),
    ]
    rows: list[list[Value | str]] = []
    for label, seeds in choices.rows.items():
        shares = [choices.groups.shares(rows) for rows in seeds]
        found = mean([chosen.imbalance(share, whole) for share in shares])
        row: list[Value | str] = [Value(text=label, strong=True), interval(found.value, found.half)]
        if against is not None:
            part = mean([100 * float(against[rows].mean()) if len(rows) else float("nan") for rows in seeds])
            row.append(interval(part.value, part.half))
        rows.append([*row, *(number(100 * x, _whole) for x in np.mean(shares, axis=0))])
    reference: list[Value | str] = [Value(text="pool", strong=True), "–"]
    if against is not None:
        reference.append(number(100 * float(against.mean())))
    rows.append([*reference, *(number(100 * x, _whole) for x in whole)])
    kind = "classes" if choices.pool.task == Task.CLASSIFICATION else "fifths of the pool by their labels"
    return Table(
        name="chosen",
        title=f"Shares of {kind} among the chosen, in %",
        headings=tuple(headings),
        rows=rows,
        note="Means over seeds, of all queries together, without the initial pool. Imbalance: half the sum of the "
        "absolute differences from the pool's shares, ± 95 % CI; small choices are never quite balanced, so "
        "compare with Random's."
        + (
            " Contradicting: labels of modalities that differ, or are more than 0.5 apart."
            if against is not None
            else ""
        ),
    )


def _whole(value: float) -> str:
    return numbers.fixed(value, 0)


def _balance(choices: _Choices) -> Picture:
    groups = names(choices.groups.names)
    return Picture(
        name="balance",
        title="Labels of what was chosen, and of the pool",
        text="Bars of the shares of classes, or fifths of the labels, among the samples that each sampler chose",
        draw=partial(_draw_balance, choices=choices),
        size=(6.0, 1.5 + 0.34 * (len(choices.rows) + 1) + 0.2 * -(-len(groups) // _columns(groups))),
    )


def _draw_balance(figure: Figure, choices: _Choices) -> None:
    axes = figure.add_subplot()
    shares = {"pool": choices.groups.shares(choices.everything)}
    for label, seeds in reversed(list(choices.rows.items())):
        shares[label] = np.mean([choices.groups.shares(rows) for rows in seeds], axis=0)
    left = np.zeros(len(shares))
    groups = names(choices.groups.names)
    for group, name in enumerate(groups.values()):
        widths = np.array([share[group] for share in shares.values()])
        shade, hatch = SHADES[group % len(SHADES)], HATCHES[group // len(SHADES) % len(HATCHES)]
        axes.barh(range(len(shares)), widths, left=left, color=shade, hatch=hatch, edgecolor="white", label=name)
        left += widths
    axes.set_yticks(range(len(shares)), list(names(shares).values()))
    axes.set_xlim(0, 1)
    axes.set_xlabel("share")
    figure.legend(loc="outside upper center", ncols=_columns(groups), fontsize=8, frameon=False)


def _columns(groups: Mapping[str, str]) -> int:
    return max(min(len(groups), 5, 70 // max(len(name) + 6 for name in groups.values())), 1)


def _map(choices: _Choices) -> Picture:
    rows = -(-len(choices.cycles) // COLUMNS)
    return Picture(
        name="map",
        title="Map of the chosen samples",
        text="A map of the pool per sampler, with the samples that its first finished seed chose, by cycle",
        draw=partial(_draw_map, choices=choices),
        size=(6.4, 0.9 + 2.0 * rows),
    )


def _draw_map(figure: Figure, choices: _Choices) -> None:
    places = choices.pool.places
    queries = max((len(rows) for rows in choices.cycles.values()), default=0)
    rows = -(-len(choices.cycles) // COLUMNS)
    grid = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True, sharey=True)
    found, shown = None, names(choices.cycles)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, (label, cycles) in zip(grid.flat, choices.cycles.items(), strict=False):
        axes.set_axis_on()
        axes.scatter(*places.T, s=2, color="#DDDDDD", linewidths=0, rasterized=True)
        picked = np.concatenate([np.zeros(0, np.int64), *cycles])
        shade = np.repeat(np.arange(len(cycles)), [len(rows) for rows in cycles])
        found = axes.scatter(
            *places[picked].T,
            s=5,
            c=shade,
            cmap="viridis",
            vmin=0,
            vmax=max(queries - 1, 1),
            linewidths=0,
            rasterized=True,
        )
        axes.set_title(shown[label], fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    if found is not None and queries > 1:
        figure.colorbar(found, ax=grid, label="query", location="bottom", shrink=0.5, aspect=40)


def _overlaps(results: RunResults) -> dict[tuple[str, str], Array]:
    """Pair of samplers of the first seed set -> mean overlap over its seeds, after each query; in both orders."""
    seed_set = results.basis.seed_sets[0]
    cells = {label: results.basis.of(seed_set, label) for label in seed_set.labels}
    ids = {i for found in cells.values() for cell in found for c in cell.cycles for i in c.chosen}
    places = {name: row for row, name in enumerate(sorted(ids))}
    times = {label: [chosen.times(cell, places) for cell in found] for label, found in cells.items()}
    found = {}
    for one, other in combinations(seed_set.labels, 2):
        both = zip(times[one], times[other], strict=True)
        lines = [chosen.overlap(a, b, results.run.schedule.sizes) for a, b in both]
        found[one, other] = found[other, one] = np.mean(lines, axis=0)
    return found


def _overlap(results: RunResults, overlaps: Mapping[tuple[str, str], Array], styles: Styles) -> Picture:
    return Picture(
        name="overlap",
        title="What a sampler has in common with the others",
        text="Mean overlap of each sampler's choices with those of all others of the same seed, after each query",
        draw=partial(_draw_overlap, results=results, overlaps=overlaps, styles=styles),
        size=taller(Picture.size, results.basis.seed_sets[0].labels),
    )


def _draw_overlap(
    figure: Figure, results: RunResults, overlaps: Mapping[tuple[str, str], Array], styles: Styles
) -> None:
    axes = figure.add_subplot()
    run = results.run
    x = run.counted(run.schedule.labeled)[1:]
    shown = names(results.basis.seed_sets[0].labels)
    for label in results.basis.seed_sets[0].labels:
        color, marker, line = styles[label]
        own = [values for (one, _), values in overlaps.items() if one == label]
        if own:
            axes.plot(x, np.mean(own, axis=0), line, color=color, marker=marker, markersize=4, label=shown[label])
    chance = chosen.overlap_by_chance(run.schedule.sizes, run.pool - run.schedule.initial_pool)
    axes.plot(x, chance, color=REFERENCE.color, linestyle=":", label="by chance")
    axes.set_xlabel("labeled samples")
    axes.set_ylabel("overlap (Jaccard), mean over others and seeds")
    axes.grid(alpha=0.3)
    legend(figure)


def _matrix(results: RunResults, overlaps: Mapping[tuple[str, str], Array]) -> Picture:
    labels = results.basis.seed_sets[0].labels
    values = np.array([[overlaps[a, b][-1] if (a, b) in overlaps else np.nan for b in labels] for a in labels])
    return Picture(
        name="overlap_matrix",
        title="Overlap of all choices, pair by pair",
        text="Matrix of the overlap of all samples chosen by two samplers of the same seed",
        draw=partial(matrix.draw, values=values, rows=labels, columns=labels),
        size=matrix.size(labels, labels),
        folded=True,
    )
