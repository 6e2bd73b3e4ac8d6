"""Which cells count, and whose means may be compared: the one rule for every table, picture, test and answer.

A cell counts if all its cycles are there, the metric that ranks is a number in each of them, and its conditions
are those of most cells of its seed. Two samplers are tested over the seeds that count for both. Means appear next
to each other only within a group: samplers over the same seeds.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from alharness.api.records import FULL_DATA

from .agreement import all_cells, drop_strangers
from .reading import CONDITIONS
from .statistics import mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any

    from alharness.api.records import Cell, Outcome, Outcomes, Plan

    from .statistics import Mean

RANDOM = "random"


@dataclass(frozen=True, kw_only=True)
class Group:
    """Samplers whose means may be compared, since all are over the same seeds.

    Attributes:
        labels: the samplers, in the order of the spec; Random comes first in a group of those that lack seeds.
        seeds: the seeds that they share.
        reference: whether the models trained with all labels have these seeds as well.
    """

    labels: tuple[str, ...]
    seeds: tuple[int, ...]
    reference: bool = False

    @property
    def rows(self) -> tuple[str, ...]:
        """The samplers, and the reference last."""
        return (*self.labels, FULL_DATA) if self.reference else self.labels


@dataclass(frozen=True, kw_only=True)
class Basis:
    """The cells that count.

    Attributes:
        cells: label -> seed -> cell, of samplers with at least one, in the order of the spec, and the reference.
        random: label of the sampler `random`, of several the one with most seeds; None if it has no cell.
        randoms: every label of the sampler `random`.
        groups: the first holds most of the comparisons; the others are samplers that lack some of its seeds, each
            with Random over the seeds that both have.
        asked: label -> seeds that the run asks for.
        refused: sentences on complete cells that do not count.
        mixed: a sentence on seeds that differ in their conditions; none if all agree.
    """

    cells: Mapping[str, Mapping[int, Outcome]]
    random: str | None
    randoms: tuple[str, ...]
    groups: tuple[Group, ...]
    asked: Mapping[str, tuple[int, ...]]
    refused: tuple[str, ...]
    mixed: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Samplers with a cell that counts."""
        return tuple(label for label in self.cells if label != FULL_DATA)

    def home(self, label: str) -> Group:
        """The first group that a sampler is in."""
        return next(group for group in self.groups if label in group.labels)

    def of(self, group: Group, label: str) -> list[Outcome]:
        """The cells of one row of a group, by seed."""
        return [self.cells[label][seed] for seed in group.seeds]

    def means(self, group: Group, value: Callable[[Outcome], float]) -> dict[str, Mean]:
        """Label -> mean of a value over the seeds of a group.

        Seeds in which the value is undefined for one row are left out of all rows, so that they stay comparable; a
        row without any defined value has no say in this.
        """
        found = {label: [value(cell) for cell in self.of(group, label)] for label in group.rows}
        some = [values for values in found.values() if not all(map(math.isnan, values))]
        kept = [not any(map(math.isnan, of_seed)) for of_seed in zip(*some, strict=True)]
        means = {}
        for label, values in found.items():
            undefined = [value for value in values if math.isnan(value)]
            defined = [value for value, keep in zip(values, kept, strict=False) if keep and not math.isnan(value)]
            means[label] = mean([*defined, *undefined])
        return means

    def lacking(self) -> dict[str, tuple[int, ...]]:
        """Label -> seeds that were asked for and do not count, of samplers that lack some."""
        found = {
            label: tuple(seed for seed in seeds if seed not in self.cells.get(label, {}))
            for label, seeds in self.asked.items()
        }
        return {label: seeds for label, seeds in found.items() if seeds}

    def gaps(self) -> list[str]:
        """A sentence on the seeds that samplers lack; none if nothing is missing."""
        alike: dict[tuple[int, tuple[int, ...]], list[str]] = {}
        for label, seeds in self.lacking().items():
            alike.setdefault((len(self.asked[label]), seeds), []).append(label)
        parts = []
        for (asked, seeds), labels in alike.items():
            alone = len(labels) == 1
            count = f"{asked - len(seeds)} of {asked}{'' if alone else ' each'}"
            parts.append(f"{', '.join(labels)} ({count}) {'lacks' if alone else 'lack'} {seed_list(seeds)}")
        return [f"Seeds are missing: {'; '.join(parts)}."] if parts else []


def basis(run: Plan, record: Outcomes, contexts: Mapping[Cell, Mapping[str, Any]] | None = None) -> Basis:
    """Decide which cells of a run count.

    Args:
        run: what was asked for.
        record: its cells.
        contexts: cell -> what its numbers depend on, absent if not known; None for what the records say.
    """
    if contexts is None:
        contexts = {found.cell: found.context for found in record.cells if found.context}
    order = (*run.labels, *(cell.label for cell in run.cells if cell.reference))
    cells: dict[str, dict[int, Outcome]] = {label: {} for label in order}
    asked: dict[str, list[int]] = {label: [] for label in order}
    refused = []
    for found in record.cells:
        asked[found.cell.label].append(found.cell.seed)
        if found.status != "ok":
            continue
        if undefined := _undefined(found, run.metric):
            refused.append(f"{found.cell.name} is left out of every comparison: {undefined}")
        else:
            cells[found.cell.label][found.cell.seed] = found
    names = {cell.label: cell.sampler for cell in run.cells if not cell.reference}
    randoms = tuple(label for label, name in names.items() if name == RANDOM)
    refused += drop_strangers(cells, contexts, randoms)
    kept = {label: found for label, found in cells.items() if found}
    random = max((x for x in randoms if x in kept), key=lambda label: len(kept[label]), default=None)
    seeds = {label: frozenset(found) for label, found in kept.items()}
    return Basis(
        cells=kept,
        random=random,
        randoms=randoms,
        groups=_groups({x: s for x, s in seeds.items() if x != FULL_DATA}, random, seeds.get(FULL_DATA)),
        asked={label: tuple(sorted(found)) for label, found in asked.items()},
        refused=tuple(refused),
        mixed=tuple(_mixed(cells, contexts)),
    )


def seed_list(seeds: Collection[int]) -> str:
    """Seeds in words: `seed 3`, `seeds 0-4, 7 and 9`."""
    parts = listed(seeds).split(", ")
    text = " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
    return f"seed{'' if len(seeds) == 1 else 's'} {text}"


def listed(seeds: Collection[int]) -> str:
    """Seeds as stretches: `0-4, 7, 9`; a dash for none."""
    stretches: list[list[int]] = []
    for seed in sorted(seeds):
        if stretches and seed == stretches[-1][-1] + 1:
            stretches[-1].append(seed)
        else:
            stretches.append([seed])
    return ", ".join(f"{s[0]}-{s[-1]}" if len(s) > 1 else str(s[0]) for s in stretches) or "–"


def parts(keys: Iterable[object]) -> list[int]:
    """Numbers of the rows of a table that begin another part of it: their key is not that of the row before."""
    return [number for number, (before, key) in enumerate(pairwise(keys), 1) if key != before]


def _undefined(record: Outcome, metric: str) -> str:
    cycles = [c.cycle for c in record.cycles if not math.isfinite(c.metrics.get(metric, math.nan))]
    if not cycles:
        return ""
    if len(cycles) == len(record.cycles):
        return f"its {metric} is undefined"
    return f"its {metric} is undefined in cycle{'' if len(cycles) == 1 else 's'} {', '.join(map(str, cycles))}"


def _mixed(cells: Mapping[str, Mapping[int, Outcome]], known: Mapping[Cell, Mapping[str, Any]]) -> list[str]:
    """A sentence if seeds that count differ in conditions; pairs are within a seed, but means are over all."""
    alike: dict[str, set[int]] = {}
    for cell in all_cells(cells):
        if cell in known:
            found = json.dumps([known[cell].get(name) for name in CONDITIONS], sort_keys=True, default=str)
            alike.setdefault(found, set()).add(cell.seed)
    if len(alike) < 2:
        return []
    values = [json.loads(found) for found in alike]
    fields = [name for i, name in enumerate(CONDITIONS) if any(value[i] != values[0][i] for value in values)]
    parts = "; ".join(seed_list(seeds) for seeds in alike.values())
    return [f"Seeds were run under different {' and '.join(fields)} ({parts}); within a seed all are the same."]


def _groups(
    seeds: Mapping[str, frozenset[int]], random: str | None, reference: frozenset[int] | None
) -> tuple[Group, ...]:
    found = _of_samplers(seeds, random)
    if not reference:
        return tuple(found)
    found = [Group(labels=g.labels, seeds=g.seeds, reference=reference.issuperset(g.seeds)) for g in found]
    if not any(group.reference for group in found):
        shared = reference & seeds[random] if random else frozenset()
        labels = (random,) if random and shared else ()
        found.append(Group(labels=labels, seeds=tuple(sorted(shared or reference)), reference=True))
    return tuple(found)


def _of_samplers(seeds: Mapping[str, frozenset[int]], random: str | None) -> list[Group]:
    """The group with most comparisons, one of Random and each set of samplers that lack the same seeds, others."""
    if not seeds:
        return []
    most = _seeds_of_most(seeds, random)
    first = Group(labels=tuple(x for x in seeds if seeds[x] >= most), seeds=tuple(sorted(most)))
    others: dict[frozenset[int], list[str]] = {}
    strangers = {}
    for label in seeds:
        if label not in first.labels:
            if random and (shared := seeds[label] & seeds[random]):
                others.setdefault(shared, []).append(label)
            else:
                strangers[label] = seeds[label]
    found = [first]
    for shared, labels in others.items():
        assert random is not None
        found.append(Group(labels=(random, *labels), seeds=tuple(sorted(shared))))
    return found + _of_samplers(strangers, None)


def _seeds_of_most(seeds: Mapping[str, frozenset[int]], random: str | None) -> frozenset[int]:
    """The set of seeds over which most comparisons can be made, counting one for each seed and each sampler.

    One sampler that fails in most seeds hence does not take these seeds from all the others.
    """
    own = seeds[random] if random else frozenset[int]().union(*seeds.values())
    candidates: dict[frozenset[int], None] = {}
    shared = own
    for found in sorted((found & own for found in seeds.values()), key=len, reverse=True):
        shared &= found
        candidates |= {found: None, shared: None}

    def comparisons(candidate: frozenset[int]) -> tuple[int, int]:
        count = sum(found >= candidate for found in seeds.values())
        return len(candidate) * (count - 1), len(candidate)

    return max((candidate for candidate in candidates if candidate), key=comparisons)
