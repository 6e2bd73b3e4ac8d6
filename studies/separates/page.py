"""What the study shows: tables in Markdown, and a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from alharness.results.efficiency import saving
from alharness.results.statistics import mean
from alharness.text.numbers import percent, probability, typeset
from benchmarks.page import line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from .setting import Setting

BETTER, WORSE = "▲", "▼"
MOST = 40
"""Per cent of the gap at which the colors of the picture end."""


def tables(found: Sequence[Setting]) -> str:
    """All tables, in Markdown."""
    return "\n\n".join([_by_data_set(found), _by_sampler(found), *map(_setting, found)])


def _by_data_set(found: Sequence[Setting]) -> str:
    head = [
        *("data set", "metric", "Random, first → last", "all labels", "of that way"),
        *("better than Random", "worse than Random", "other pairs that differ"),
    ]
    return f"### By data set\n\n{_table(head, map(_in_short, found))}"


def _in_short(one: Setting) -> list[str]:
    curves = one.results.curves(one.random, one.seeds)
    first, last = (mean(curves[:, at]).value for at in (0, -1))
    pairs = len(one.rivals) * (len(one.rivals) - 1) // 2
    return [
        f"[{one.name}](#{one.name.lower()})" + (r" \*" if one.made_up else ""),
        one.results.metric,
        f"{one.number(first)} → {one.number(last)}",
        one.number(one.ceiling),
        percent((last - first) / (one.ceiling - first), 0),
        _names([x for x in one.rivals if one.against(x).better], one.rivals),
        _names([x for x in one.rivals if one.against(x).worse], one.rivals),
        f"{len(one.pairs)} of {pairs}",
    ]


def _by_sampler(found: Sequence[Setting]) -> str:
    rows = []
    for label in _labels(found):
        have = [one for one in found if label in one.rivals]
        better, worse = ([one.name for one in have if _mark(one, label) == mark] for mark in (BETTER, WORSE))
        names = [one.name for one in have]
        rows.append([label, str(len(have)), _names(better, names), _names(worse, names)])
    head = ["sampler", "data sets", "better than Random", "worse than Random"]
    return f"### By sampler\n\n{_table(head, rows)}"


def _names(some: Sequence[str], of: Sequence[str]) -> str:
    """Names, in a word if they are all or none of the others."""
    if len(some) == len(of) > 1:
        return f"all {len(of)}"
    return ", ".join(some) or "none"


def _labels(found: Sequence[Setting]) -> list[str]:
    """Of the samplers other than Random, in the order of the specs."""
    return list(dict.fromkeys(x for one in found for x in one.results.run.labels if x in one.rivals))


def _mark(one: Setting, label: str) -> str:
    apart = one.against(label)
    return BETTER if apart.better else WORSE if apart.worse else ""


def _setting(one: Setting) -> str:
    results = one.results
    schedule, asked = results.labeled, len(results.basis.asked[one.random])
    kind = "Made-up data: " if one.made_up else ""
    seeds = f"{len(one.seeds)} seeds" if len(one.seeds) == asked else f"{len(one.seeds)} of {asked} seeds so far"
    about = (
        f"{kind}{schedule[0]:,} → {schedule[-1]:,} labels, {seeds}; {results.metric}, {results.better}. "
        f"All labels give {one.number(one.ceiling)}. From seed to seed a difference to Random varies by "
        f"{one.number(one.noise)} (sd)."
    )
    head = ["sampler", "area ± sd", "better than Random by", "p", "of the gap", "saved", "better than"]
    rows = [_row(one, label) for label in results.ranked]
    return "\n\n".join([f"### {one.name}", about, _table(head, rows)])


def _row(one: Setting, label: str) -> list[str]:
    area = mean(one.results.areas_of(label, one.seeds))
    size = f"{one.number(area.value)} ± {one.number(area.sd)}"
    if label == one.random:
        worse = [x for x in one.rivals if one.against(x).worse]
        return ["random", size, "–", "–", "–", "–", _names(worse, one.rivals)]
    apart, saved = one.against(label), saving(one.results, label, one.random, seeds=one.seeds)
    low, value, high = (_share(x, saved.reference) for x in (saved.low, saved.value, saved.high))
    name = f"{label} (knows the truth)" if label in one.results.run.controls else label
    beaten = [b for a, b in one.pairs if a == label]
    return [
        f"**{name}** {BETTER}" if apart.better else f"{name} {WORSE}" if apart.worse else name,
        size,
        f"{one.number(apart.value, '+')} ({one.number(apart.low, '+')} to {one.number(apart.high, '+')})",
        probability(apart.adjusted),
        typeset(percent(one.closed(label), 0)),
        f"{value} ({low} to {high})" if math.isfinite(saved.value) else "not reached",
        _names(beaten, [x for x in one.rivals if x != label]),
    ]


def _share(labels: float, of: float) -> str:
    if math.isinf(labels):
        return "less" if labels < 0 else "more"
    return typeset(percent(labels / of, 0))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(line(cells) for cells in (head, ["---"] * len(head), *rows))


def draw(found: Sequence[Setting], path: Path) -> None:
    """The shares of the gap: data sets down, samplers and then controls across; bold if shown to differ."""
    from matplotlib.figure import Figure

    labels = _labels(found)
    labels += dict.fromkeys(x for one in found for x in one.results.run.controls if x in one.results.labels)
    figure = Figure(figsize=(9.5, 0.42 * len(found) + 1.5), layout="constrained")
    axes = figure.subplots()
    shares = [[100 * one.closed(x) if x in one.results.labels else math.nan for x in labels] for one in found]
    image = axes.imshow(shares, cmap="RdBu", vmin=-MOST, vmax=MOST, aspect="auto")
    for y, one in enumerate(found):
        for x, label in enumerate(labels):
            if math.isfinite(share := shares[y][x]):
                weight = "bold" if _mark(one, label) else "normal"
                color = "white" if abs(share) > 0.65 * MOST else "black"
                text = typeset(f"{share:+.0f}")
                axes.text(x, y, text, ha="center", va="center", color=color, weight=weight, size=9)
    axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(found)), [f"{one.name}{' *' if one.made_up else ''}" for one in found])
    axes.tick_params(length=0)
    axes.set_frame_on(False)
    bar = figure.colorbar(image, ax=axes, extend="both", pad=0.01)
    bar.set_label("% of the gap closed")
    figure.savefig(path, dpi=150)
