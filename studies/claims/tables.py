"""Three claims about multimodal active learning, on worlds of which the truth is known.

    python studies/claims/tables.py                # runs what is not finished yet, in runs/; prints the tables
    python studies/claims/tables.py --write        # and puts them into docs/explanation/multimodal-claims.md

Runs `worlds_claim1_neglect`, `worlds_claim2_samplers` and `worlds_claim3_multimodal` of the folder `specs`.
Interrupt it, and the same command continues. Everything is a mean over seeds, with a 95 % confidence interval.
"""

from __future__ import annotations

import argparse
import math
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import alharness
from alharness import registry
from alharness import spec as specs
from alharness.datasets.worlds.params import WorldsParams
from alharness.results.statistics import mean
from alharness.results.utilisation import uses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from alharness.results.results import Results
    from alharness.results.run import RunResults
    from alharness.results.statistics import Difference, Mean

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "multimodal-claims.md"
CLAIMS = "worlds_claim1_neglect", "worlds_claim2_samplers", "worlds_claim3_multimodal"
MATTERS = 0.1
"""A share that is within this part of what the modality is worth counts as equal to it."""
MULTIMODAL = "bmmal", "grace"
RANDOM, CONTROL = "random", "control"
WATCHED = {"unequal": "vision", "loud": "audio", "together": "audio"}
"""World of the second claim -> the modality that its models use less than it is worth."""


def main() -> None:
    """Run, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workdir", default=str(ROOT / "runs"), help="where runs are kept")
    parser.add_argument("--seeds", type=int, help="fewer or more than the specs say")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--write", action="store_true", help="put the tables into the page")
    asked = parser.parse_args()
    more = {"tracking": "none"} | ({"seeds": asked.seeds} if asked.seeds else {})
    found = {
        name: alharness.run(ROOT / "specs" / f"{name}.yaml", set=more, workdir=asked.workdir, jobs=asked.jobs)
        for name in CLAIMS
    }
    tables = dict(make_tables(found))
    for name, lines in tables.items():
        print(f"\n{name}\n", *lines, sep="\n")
    if asked.write:
        PAGE.write_text(replaced(PAGE.read_text(), tables))


def make_tables(found: Mapping[str, Results]) -> Iterator[tuple[str, list[str]]]:
    """Name of a table -> its lines."""
    first, second, third = (by_label(name, results) for name, results in found.items())
    worlds = {**second, **third}
    yield "shares", list(shares(first))
    yield "drops", list(drops(first))
    yield "use", list(use_by_sampler(second))
    yield "areas", list(areas(worlds))
    yield "pairs", list(pairs(worlds))
    yield "control", list(control(worlds))


def by_label(name: str, results: Results) -> dict[str, RunResults]:
    """What the labels of the matrix say of a setting, such as `even-heads` -> its results."""
    return {key.removeprefix(f"{name}-"): one for key, one in results.runs.items()}


# What modalities are worth


def worth(params: WorldsParams) -> dict[str, tuple[float, float]]:
    """Modality -> what the best possible prediction owes to it: its share, and the accuracy lost without it.

    That prediction is right if what shows the label is there, and guesses otherwise. A label that every modality
    shows is owed to those that are there in equal parts, one that two show together to both in equal parts.
    """
    modalities, rates, classes = params.modalities, params.by_modality("missing"), params.classes or 4
    owed, lost = dict.fromkeys(modalities, 0.0), dict.fromkeys(modalities, 0.0)
    for pattern in product((True, False), repeat=len(modalities)):
        there = [m for m, here in zip(modalities, pattern, strict=True) if here]
        weight = math.prod(1 - rates[m] if here else rates[m] for m, here in zip(modalities, pattern, strict=True))
        for who, share in params.shares.items():
            if who == "redundant":
                knows, alone = there, len(there) == 1
            elif who == "synergistic":
                knows, alone = list(params.together), True
            else:
                knows, alone = [who], True
            if knows and set(knows) <= set(there):
                for m in knows:
                    owed[m] += weight * share / len(knows)
                    lost[m] += weight * share * alone
    total = sum(owed.values())
    return {m: (owed[m] / total, lost[m] * (1 - 1 / classes)) for m in modalities}


@cache
def worlds_of(name: str) -> dict[str, WorldsParams]:
    """Label of a setting -> its world."""
    found = {}
    for setting in specs.load_all(ROOT / "specs" / f"{name}.yaml", registry.load()):
        assert isinstance(setting.dataset.params, WorldsParams)
        found[setting.name.removeprefix(f"{name}-")] = setting.dataset.params
    return found


# Tables


def shares(settings: Mapping[str, RunResults]) -> Iterator[str]:
    """The first claim: how much predictions owe to each modality, and how much the best ones owe to it."""
    yield from headed("world", "modality", "worth", *WHEN, "400 labels, fused loss alone")
    for world, m, (share, _) in modalities(settings):
        heads, fused = (settings[f"{world}-{model}"] for model in ("heads", "fused"))
        found = [*(at(heads, f"share/{m}", *place) for place in PLACES), at(fused, f"share/{m}", *PLACES[1])]
        yield row(world, m, f"{share:.2f}", *(marked(x, share) for x in found))


def drops(settings: Mapping[str, RunResults]) -> Iterator[str]:
    """The first claim: what is lost without a modality, and what the best prediction would lose."""
    yield from headed("world", "modality", "worth", *WHEN)
    for world, m, (_, drop) in modalities(settings):
        found = [at(settings[f"{world}-heads"], f"drop/{m}", *place) for place in PLACES]
        yield row(world, m, f"{drop:.2f}", *(f"{x.value:.2f} ± {x.half:.2f}" for x in found))


def modalities(settings: Mapping[str, RunResults]) -> Iterator[tuple[str, str, tuple[float, float]]]:
    """Each world of the first claim, each of its modalities, and what it is worth."""
    for world in dict.fromkeys(key.rpartition("-")[0] for key in settings):
        for modality, of_it in worth(worlds_of(CLAIMS[0])[f"{world}-heads"]).items():
            yield world, modality, of_it


def headed(*heads: str) -> Iterator[str]:
    """The first lines of a table."""
    yield row(*heads)
    yield row(*["---"] * len(heads))


def row(*cells: str) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


WHEN = "50 labels", "400 labels", "all labels"
PLACES = (RANDOM, 0), (RANDOM, -1), ("full-data", 0)
"""Whose models, and after which cycle, for each of `WHEN`."""


def at(one: RunResults, measure: str, label: str, cycle: int) -> Mean:
    """Mean over seeds of how a modality is used."""
    seeds = sorted(one.basis.cells[label])
    return mean(one.used(label, seeds, measure)[:, cycle])


def marked(x: Mean, worth: float) -> str:
    """▼ if the interval is below what the modality is worth by a tenth of that, ▲ if it is above."""
    sign = "▼ " if x.high < (1 - MATTERS) * worth else "▲ " if x.low > (1 + MATTERS) * worth else ""
    return f"{sign}{x.value:.2f} ± {x.half:.2f}"


def use_by_sampler(settings: Mapping[str, RunResults]) -> Iterator[str]:
    """The second claim: the use of the modality that is neglected, against Random's models."""
    yield from headed("sampler", *(f"{world}: {WATCHED[world]}" for world in settings))
    columns = []
    for world, one in settings.items():
        share, _ = worth(worlds_of(CLAIMS[1])[world])[WATCHED[world]]
        found = {use.label: use for use in uses(one) if use.modality == WATCHED[world]}
        reference = found[RANDOM].measures["share"]
        tested = {x: signed(use.difference) for x, use in found.items() if use.difference is not None}
        columns.append({RANDOM: f"{reference.value:.3f}, worth {share:.3f}"} | tested)
    for label in columns[0]:
        yield row(label, *(column[label] for column in columns))


def signed(d: Difference) -> str:
    """A difference with its interval, ▲ or ▼ if it is significant."""
    sign = ("▲ " if d.value > 0 else "▼ ") if d.significant else ""
    return f"{sign}{d.value:+.3f} ± {d.half:.3f}"


def areas(settings: Mapping[str, RunResults]) -> Iterator[str]:
    """The third claim: how much better than Random each sampler is."""
    yield from headed("sampler", *settings)
    for label in next(iter(settings.values())).labels:
        if label == RANDOM:
            cells = [f"{one.areas[RANDOM].value:.3f}" for one in settings.values()]
        else:
            cells = [signed(one.pairs[label, RANDOM]) for one in settings.values()]
        yield row(f"**{label}**" if label in MULTIMODAL else label, *cells)


def pairs(settings: Mapping[str, RunResults]) -> Iterator[str]:
    """The third claim: multimodal samplers against each of the others."""
    yield from headed("", "against", "better in", "worse in", "not shown in", "mean difference")
    unimodal = [x for x in next(iter(settings.values())).labels if x not in (*MULTIMODAL, RANDOM, CONTROL)]
    for multimodal, other in product(MULTIMODAL, unimodal):
        found = [one.pairs[multimodal, other] for one in settings.values()]
        better, worse = (sum(d.significant and sign * d.value > 0 for d in found) for sign in (1, -1))
        counts = [str(x) for x in (better, worse, len(found) - better - worse)]
        yield row(multimodal, other, *counts, f"{np.mean([d.value for d in found]):+.3f}")


def control(settings: Mapping[str, RunResults]) -> Iterator[str]:
    """What there was to gain."""
    yield from headed("world", "Random", "best sampler", "control", "control less Random")
    for world, one in settings.items():
        found = {label: area.value for label, area in one.areas.items()}
        best = max((x for x in found if x not in (RANDOM, CONTROL)), key=found.__getitem__)
        cells = [f"{found[RANDOM]:.3f}", f"{found[best]:.3f} ({best})", f"{found[CONTROL]:.3f}"]
        yield row(world, *cells, signed(one.pairs[CONTROL, RANDOM]))


def replaced(page: str, tables: Mapping[str, list[str]]) -> str:
    """The page with its tables renewed; each is between `<!-- table: name -->` and `<!-- end -->`."""
    for name, lines in tables.items():
        before, start, rest = page.partition(f"<!-- table: {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        if not (start and end):
            raise SystemExit(f"{PAGE}: there is no place for the table {name!r}")
        page = f"{before}{start}" + "\n".join(["", *lines, ""]) + f"\n{end}{after}"
    return page


if __name__ == "__main__":
    main()
