"""What the samplers chose."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.vocabulary import Task
from alharness.report.cells import Column, Table, averaged, bold, number
from alharness.report.document import Picture, Section
from alharness.report.pictures import REFERENCE, legend, line, matrix, names, taller
from alharness.results.chosen import CONTRADICTING, PERCENT, choices, overlap_by_chance, overlaps
from alharness.text import spreadsheets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from alharness.report.pictures import Styles
    from alharness.results.chosen import Choices
    from alharness.results.run import RunResults
    from alharness.runs.pooltable import PoolTable

    Array = NDArray[Any]

COLUMNS = 3
"""Maps side by side."""
SHADES = ("#0072B2", "#56B4E9", "#F0E442", "#E69F00", "#D55E00", "#CC79A7", "#009E73", "#999999")
HATCHES = ("", "//", "..")
"""Beyond the shades, groups are hatched."""


def section(results: RunResults, styles: Styles) -> Section:
    """Balance, contradictions, overlap, and a map."""
    pictures, tables, paragraphs = list[Picture](), [], []
    if results.pool is None:
        paragraphs.append(
            "Labels and places of the chosen samples are not known, since the run left no table of its pool. "
            "Running the spec again writes it, and trains nothing that is finished."
        )
    else:
        found = choices(results, results.pool)
        pictures += [_balance(found), _map(found, results.pool)]
        tables.append(_table(results, found, results.pool))
    labels = results.basis.seed_sets[0].labels
    if len(labels) > 1 and results.run.schedule.sizes:
        pairs = overlaps(results)
        values = [[pairs[a, b][-1] if a != b else math.nan for b in labels] for a in labels]
        pictures += [
            _overlap(results, pairs, styles),
            matrix(
                name="overlap_matrix",
                title="Overlap of all choices, pair by pair",
                text="Matrix of the overlap of all samples chosen by two samplers of the same seed",
                values=np.array(values),
                rows=labels,
                columns=labels,
                folded=True,
            ),
        ]
    return Section(
        anchor="chosen", title="What was chosen", paragraphs=paragraphs, pictures=pictures, tables=tables
    )


def _table(results: RunResults, found: Choices, pool: PoolTable) -> Table:
    kind = "classes" if pool.task == Task.CLASSIFICATION else "fifths of the pool by their labels"
    note = (
        "Means over seeds, of all queries together, without the initial pool. Imbalance: half the sum of the "
        f"absolute differences from the pool's shares{'' if results.run.stopping else ', ± 95 % CI'}; small "
        "choices are never quite balanced, so compare with Random's."
    )
    columns = [
        Column("chosen by", list(map(bold, (*found.shares, "pool"))), name="sampler"),
        Column(
            "imbalance",
            [averaged(mean and results.shown(mean)) for mean in (*map(found.imbalance, found.shares), None)],
        ),
    ]
    if CONTRADICTING in found.marks:
        note += " Contradicting: labels of modalities that differ, or are more than 0.5 apart."
    if len(found.marks) > (CONTRADICTING in found.marks):
        note += " What is known of made-up data: shares in %, or means of numbers."
    for mark, of_chosen in found.marks.items():
        shares = [*(averaged(results.shown(mean)) for mean in of_chosen.values()), number(found.pool_marks[mark])]
        heading = " ".join(mark).removeprefix(f"{PERCENT} ").replace("_", " ")
        columns.append(Column(heading, shares, name="_".join(map(spreadsheets.name, mark))))
    means = np.array([*(share.mean(axis=0) for share in found.shares.values()), found.pool])
    for group, of in zip(found.groups.names, means.T, strict=True):
        name = spreadsheets.name(group.replace("−", "minus "))  # a minus would be lost
        columns.append(Column(group, [number(100 * x, 0) for x in of], name=f"percent_{name}"))
    title = f"Shares of {kind} among the chosen, in %"
    return Table(name="chosen", title=title, columns=columns, note=note)


def _balance(found: Choices) -> Picture:
    groups = list(names(found.groups.names).values())
    columns = max(min(len(groups), 5, 70 // max(len(name) + 6 for name in groups)), 1)
    bars = {"pool": found.pool}
    bars |= {label: found.shares[label].mean(axis=0) for label in reversed([*found.shares])}

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        left = np.zeros(len(bars))
        for group, name in enumerate(groups):
            widths = np.array([shares[group] for shares in bars.values()])
            shade, hatch = SHADES[group % len(SHADES)], HATCHES[group // len(SHADES) % len(HATCHES)]
            axes.barh(range(len(bars)), widths, left=left, color=shade, hatch=hatch, edgecolor="white", label=name)
            left += widths
        axes.set_yticks(range(len(bars)), list(names(bars).values()))
        axes.set_xlim(0, 1)
        axes.set_xlabel("share")
        figure.legend(loc="outside upper center", ncols=columns, fontsize=8, frameon=False)

    return Picture(
        name="balance",
        title="Labels of what was chosen, and of the pool",
        text="Bars of the shares of classes, or fifths of the labels, among the samples that each sampler chose",
        draw=draw,
        size=(6.0, 1.5 + 0.34 * len(bars) + 0.2 * math.ceil(len(groups) / columns)),
    )


def _map(found: Choices, pool: PoolTable) -> Picture:
    rows = math.ceil(len(found.queries) / COLUMNS)
    most = max(map(len, found.queries.values()), default=0)
    dots = {"linewidths": 0, "rasterized": True}

    def draw(figure: Figure) -> None:
        grid = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True, sharey=True)
        shown = names(found.queries)
        for axes in grid.flat:
            axes.set_axis_off()
        for axes, (label, queries) in zip(grid.flat, found.queries.items(), strict=False):
            axes.set_axis_on()
            axes.scatter(*pool.places.T, s=2, color="#DDDDDD", **dots)
            places = pool.places[np.concatenate([np.zeros(0, np.int64), *queries])]
            query = np.repeat(np.arange(len(queries)), list(map(len, queries)))
            last = axes.scatter(*places.T, s=5, c=query, cmap="viridis", vmin=0, vmax=max(most - 1, 1), **dots)
            axes.set_title(shown[label], fontsize=9)
            axes.set_xticks([])
            axes.set_yticks([])
        if most > 1:
            figure.colorbar(last, ax=grid, label="query", location="bottom", shrink=0.5, aspect=40)

    return Picture(
        name="map",
        title="Map of the chosen samples",
        text="A map of the pool per sampler, with the samples that its first finished seed chose, by cycle",
        draw=draw,
        size=(6.4, 0.9 + 2.0 * rows),
    )


def _overlap(results: RunResults, pairs: Mapping[tuple[str, str], Array], styles: Styles) -> Picture:
    labels = results.basis.seed_sets[0].labels

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        run = results.run
        x = run.counted(run.schedule.labeled)[1:]
        for label in labels:
            own = np.mean([values for (one, _), values in pairs.items() if one == label], axis=0)
            line(axes, styles[label], x, own)
        chance = overlap_by_chance(run.schedule.sizes, run.pool - run.schedule.initial_pool)
        axes.plot(x, chance, color=REFERENCE.color, linestyle=":", label="by chance")
        axes.set(xlabel="labeled samples", ylabel="overlap (Jaccard), mean over others and seeds")
        axes.grid(alpha=0.3)
        legend(figure)

    return Picture(
        name="overlap",
        title="What a sampler has in common with the others",
        text="Mean overlap of each sampler's choices with those of all others of the same seed, after each query",
        draw=draw,
        size=taller(Picture.size, labels),
    )
