"""Which modalities the models use, and which sampler makes them neglect one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from alharness.api.records import FULL_DATA
from alharness.report.answers import correction
from alharness.report.cells import Column, Table, Value, averaged, bold, interval, parts, probability
from alharness.report.document import Picture, Section
from alharness.report.pictures import REFERENCE, count_labels, legend, line, names, taller
from alharness.report.tables import seeds_column
from alharness.results.statistics import ENOUGH, mean
from alharness.results.utilisation import DROP, MATTERS, MOVED, SHARE, from_all_labels, modalities, uses
from alharness.text import numbers
from alharness.text.numbers import NOTHING, form, p_value, percent, significant, typeset
from alharness.text.words import marked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.figure import Figure

    from alharness.report.pictures import Styles
    from alharness.results.run import RunResults
    from alharness.results.statistics import Difference
    from alharness.results.utilisation import Use

COLUMNS = 3
"""Modalities side by side."""
MOST = 6
"""Shares that have a sentence; of more, their number."""
MANY = 40
"""Rows of the table up to which it is open."""
ABOUT = (
    "How much the fused prediction of test samples uses each modality, found by withholding modalities from the "
    "trained model. Shares are of what modalities change in predictions (Shapley values); they add up to 1. A "
    "share says how much a modality counts, and not that it helps: that is by how much the metric gets worse "
    "without it, which is little also for what other modalities repeat."
)
NEGLECTED = (
    f"Neglected: the share is shown to be smaller than with Random by {percent(MATTERS, 0)} of it or more. "
    "Differences are tested as those in quality are, corrected over all samplers and modalities."
)


def sections(results: RunResults, styles: Styles) -> list[Section]:
    """Shares by labels, who neglects what, and all numbers; nothing if they were not measured."""
    found = uses(results)
    if not found:
        return []
    return [
        Section(
            anchor="utilisation",
            title="What the model uses",
            paragraphs=[ABOUT, _relied_on(results, found), *verdict(results, found)],
            pictures=[_shares(results, styles)],
            tables=[_table(results, found)],
        )
    ]


def across(runs: Mapping[str, RunResults]) -> list[Section]:
    """Over several settings: shares with Random and with all labels, and who neglects what."""
    found = {name: uses(results) for name, results in runs.items()}
    rows = [(name, modality) for name, results in runs.items() for modality in modalities(results)]
    if not rows:
        return []
    neglected = {
        (name, use.modality): [x.label for x in all_uses if x.modality == use.modality and x.neglected]
        for name, all_uses in found.items()
        for use in all_uses
    }
    of = {(name, use.modality, use.label): use for name, all_uses in found.items() for use in reversed(all_uses)}

    def share(label: Callable[[str], str | None]) -> list[Value]:
        cells = [of.get((name, modality, label(name) or "")) for name, modality in rows]
        return [averaged(use.measures[SHARE] if use else None) for use in cells]

    cases = [f"{m} in {name} (with {', '.join(labels)})" for (name, m), labels in neglected.items() if labels]
    more = f"; and {len(cases) - MOST} more" if len(cases) > MOST else ""
    none = "No sampler is shown to make the model neglect a modality in any setting."
    return [
        Section(
            anchor="utilisation",
            title="What the models use",
            paragraphs=[ABOUT, f"Neglected are: {'; '.join(cases[:MOST])}{more}." if cases else none],
            tables=[
                Table(
                    name="utilisation",
                    title="Shares of modalities: means along the learning curve",
                    columns=[
                        Column("setting", [name for name, _ in rows]),
                        Column("modality", [modality for _, modality in rows]),
                        Column("with Random", share(lambda name: runs[name].random), name="random"),
                        Column("with all labels", share(lambda _: FULL_DATA), name="full_data"),
                        Column("neglected with", [", ".join(neglected[row]) or NOTHING for row in rows]),
                    ],
                    apart=parts(name for name, _ in rows),
                    folded=len(rows) > MANY,
                    note=NEGLECTED,
                )
            ],
        )
    ]


def verdict(results: RunResults, found: Sequence[Use]) -> list[str]:
    """Who makes the model neglect what, with the evidence; or why nothing is said."""
    if results.run.stopping:
        return ["Nothing is tested, since seeds stopped when the areas under the learning curves were decided."]
    if results.random is None:
        return ["Random was not run, so nothing says whether a sampler changes this."]
    pairs = [(use, use.difference) for use in found if use.difference is not None]
    tested = [(use, pair) for use, pair in pairs if not math.isnan(pair.p)]
    if not tested:
        few = all(pair.n < ENOUGH for _, pair in pairs)
        return [f"Nothing is tested: {f'that needs {ENOUGH} seeds' if few else 'no share differs from Random'}."]
    worst = sorted((use for use, _ in tested if use.neglected), key=lambda use: use.relative)
    small = [use for use, pair in tested if pair.worse and not use.neglected]
    family = f"{len(tested)} differences to Random, {correction(results.run)} correction"
    said = [_sentence(use) for use in worst[:MOST]]
    if len(worst) > MOST:
        said.append(f"So do {len(worst) - MOST} more pairs of a sampler and a modality, in bold in the table.")
    if worst:
        said.append(f"No other share is shown to be smaller than with Random by a tenth or more ({family}).")
    else:
        least, _ = min(tested, key=lambda one: one[1].value)
        said.append(f"No sampler is shown to make the model neglect a modality ({family}).")
        if least not in small:
            said.append(
                f"The share that falls most is that of {least.modality} with {least.label}: {_size(least)}."
            )
    if small:
        said.append(f"Shown, but less than {percent(MATTERS, 0)} of the share with Random: {_listed(small)}.")
    if larger := [use for use, pair in tested if pair.better]:
        said.append(f"Shown to be larger than with Random: {_listed(larger)}.")
    return said


def _listed(found: Sequence[Use]) -> str:
    which = ", ".join(f"{use.modality} with {use.label} ({_size(use)})" for use in found[:MOST])
    return f"{which} and {len(found) - MOST} more" if len(found) > MOST else which


def _sentence(use: Use) -> str:
    share, difference = use.measures[SHARE].value, use.difference
    assert difference is not None
    with_random = share - difference.value
    write = form([share, with_random], [difference.half]).number
    return (
        f"{use.label} makes the model neglect {use.modality}: its share is {write(share)}, and with Random "
        f"{write(with_random)} ({_size(use)}, {p_value(difference.adjusted)})."
    )


def _size(use: Use) -> str:
    assert use.difference is not None
    return _interval(use.difference)


def _interval(found: Difference) -> str:
    return f"{typeset(numbers.interval(found.value, found.half))}, n = {found.n}"


def _relied_on(results: RunResults, found: Sequence[Use]) -> str:
    """Shares with Random (or the first sampler), the largest first, and with all labels."""
    first = results.basis.seed_sets[0]
    label = results.random if results.random in first.labels else first.rows[0]

    def listed(label: str) -> str:
        own = [use for use in found if (use.label, use.seed_set) == (label, first)]
        own = [use for use in own if not math.isnan(use.measures[SHARE].value)]
        own.sort(key=lambda use: -use.measures[SHARE].value)
        return ", ".join(f"{use.modality} {significant(use.measures[SHARE].value, 2)}" for use in own)

    said = f"Shares with {label}, as means along the curve: {listed(str(label))}."
    if not first.reference:
        return said
    apart = {m: pair for m, pair in from_all_labels(results).items() if pair.significant}
    less = [f"{m} less ({_interval(pair)})" for m, pair in apart.items() if pair.value < 0]
    more = [f"{m} more ({_interval(pair)})" for m, pair in apart.items() if pair.value > 0]
    said += f" With all labels: {listed(FULL_DATA)}."
    return (
        f"{said} So along the curve models use {' and '.join([*less, *more])} than with all labels."
        if apart
        else said
    )


def _shares(results: RunResults, styles: Styles) -> Picture:
    """A panel for each modality."""
    first, found = results.basis.seed_sets[0], modalities(results)
    columns = min(len(found), COLUMNS)
    rows = math.ceil(len(found) / columns)

    def draw(figure: Figure) -> None:
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for axes in grid.flat[len(found) :]:
            axes.set_axis_off()
        for axes, (modality, title) in zip(grid.flat, names(found).items(), strict=False):
            for label in first.rows:
                shares = results.used(label, first.seeds, f"{SHARE}/{modality}")
                y = np.array([mean(of_cycle).value for of_cycle in shares.T])
                known = ~np.isnan(y)
                style = REFERENCE if label == FULL_DATA else styles[label]
                text = style.name if axes is grid[0, 0] else "_again"
                if label != FULL_DATA:
                    line(axes, style, np.array(results.labeled)[known], y[known], text)
                elif known.all():
                    axes.axhline(y[0], color=style.color, linestyle=style.line, linewidth=1, label=text)
            axes.set_title(title, fontsize=9)
            axes.grid(alpha=0.3)
            count_labels(axes)
        grid[0, 0].set_ylim(bottom=0)
        for axes in grid[-1]:
            axes.set_xlabel("labeled samples", fontsize=9)
        for axes in grid[:, 0]:
            axes.set_ylabel("share, mean over seeds", fontsize=9)
        legend(figure)

    return Picture(
        name="utilisation",
        title="How much the model uses each modality",
        text=f"The share of each of {', '.join(found)} in predictions against labels, one line for each of "
        f"{', '.join(first.rows)}",
        draw=draw,
        size=taller((0.4 + 2.1 * max(columns, 2), 1.2 + 2.0 * rows), first.rows),
    )


def _table(results: RunResults, found: Sequence[Use]) -> Table:
    tested = any(use.difference is not None for use in found)
    against = [
        Column("difference to Random", list(map(_difference, found)), name="difference", of=1.0),
        Column("p corrected", [_corrected(use) for use in found], name="p_corrected"),
    ]
    return Table(
        name="utilisation",
        title="How much the model uses each modality: means along the learning curve",
        columns=[
            Column("modality", [use.modality for use in found]),
            Column("sampler", [_name(results, use) for use in found]),
            Column("share", [averaged(use.measures[SHARE]) for use in found]),
            *(against if tested else []),
            Column(f"{results.metric} worse by", [averaged(use.measures[DROP]) for use in found], name="drop"),
            Column("predictions move", [averaged(use.measures[MOVED]) for use in found], name="moved"),
            *seeds_column(results, [use.seed_set.seeds for use in found]),
        ],
        apart=parts(use.modality for use in found),
        folded=len(found) > MANY,
        note="Share: of what modalities change in predictions. Worse by: what the metric loses if this modality "
        "alone is withheld. Predictions move: how far they are then from those with all modalities, on average."
        f"{f' In bold: neglected. {NEGLECTED}' if tested else ''}",
    )


def _name(results: RunResults, use: Use) -> Value:
    """Of a sampler, with a word on a control; in bold if something is neglected."""
    name = marked(use.label, control=use.label in results.run.controls)
    return bold(name) if use.neglected else Value(text=name)


def _difference(use: Use) -> Value | str:
    found = use.difference
    return NOTHING if found is None else interval(found.value, found.half, strong=found.significant)


def _corrected(use: Use) -> Value | str:
    return NOTHING if use.difference is None else probability(use.difference.adjusted)
