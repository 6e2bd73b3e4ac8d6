"""Which cells count, and whose means may be compared: the one rule for every table, picture, test and answer.

A cell counts if all its cycles are there, the metric that ranks is a number in each of them, and its conditions
are those of most cells of its seed. Two samplers are tested over the seeds that count for both. Means appear next
to each other only within a seed set: samplers over the same seeds.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alharness.api.records import FULL_DATA, RANDOM
from alharness.text.words import grouped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from alharness.api.records import Outcome, Plan

    BySeed = Mapping[str, Mapping[int, tuple[Outcome, ...]]]

FOUNDATION = ("data", "split", "initial_pool")
"""Fields of a journal's context without which two cells have nothing in common."""
CONDITIONS = ("device", "versions", "journal format")
"""Fields that may change the last bits of every number, or all of them."""
PAIRED = (*FOUNDATION, *CONDITIONS)
"""Fields in which two cells must agree before a difference between them means anything."""


@dataclass(frozen=True, kw_only=True)
class SeedSet:
    """Samplers whose means may be compared, since all are over the same seeds.

    Attributes:
        labels: the samplers, in the order of the spec; Random comes first in one of those that lack seeds.
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
        cells: label -> seed -> cell, or replicates of Random, by number; of samplers with at least one, in the
            order of the spec, and the reference.
        random: label of the sampler `random`, of several the one with most seeds; None if it has no cell.
        randoms: every label of the sampler `random`. None is recommended; the others are compared with `random`
            like any sampler, which shows what chance alone does.
        seed_sets: the first holds most of the comparisons; the others are samplers that lack some of its seeds,
            each with Random over the seeds that both have.
        asked: label -> seeds that the run asks for -> how many cells of each: more than one with replicates.
        refused: sentences on complete cells that do not count.
        mixed: a sentence on seeds that differ in their conditions; none if all agree.
    """

    cells: BySeed
    random: str | None
    randoms: tuple[str, ...]
    seed_sets: tuple[SeedSet, ...]
    asked: Mapping[str, Mapping[int, int]]
    refused: tuple[str, ...]
    mixed: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Samplers with a cell that counts."""
        return tuple(label for label in self.cells if label != FULL_DATA)

    def first_set(self, label: str) -> SeedSet:
        """The first seed set that a sampler is in."""
        return next(seed_set for seed_set in self.seed_sets if label in seed_set.labels)

    def of(self, seed_set: SeedSet, label: str) -> list[Outcome]:
        """The cells of one row of a seed set, by seed; of replicates the first."""
        return [self.cells[label][seed][0] for seed in seed_set.seeds]

    def every(self, seed_set: SeedSet, label: str) -> list[Outcome]:
        """The same with all replicates."""
        return [cell for seed in seed_set.seeds for cell in self.cells[label][seed]]

    def shared(self, *labels: str) -> list[int]:
        """The seeds that count for all of these samplers."""
        return sorted(set.intersection(*(set(self.cells.get(label, ())) for label in labels)))

    def lacking(self) -> dict[str, tuple[int, ...]]:
        """Label -> seeds that were asked for and do not count, of samplers that lack some."""
        found = {
            label: tuple(seed for seed in seeds if seed not in self.cells.get(label, {}))
            for label, seeds in self.asked.items()
        }
        return {label: seeds for label, seeds in found.items() if seeds}

    def gaps(self) -> list[str]:
        """A sentence on the seeds that samplers lack; none if nothing is missing."""
        lacking = (((len(self.asked[label]), seeds), label) for label, seeds in self.lacking().items())
        parts = []
        for (asked, seeds), labels in grouped(lacking).items():
            alone = len(labels) == 1
            count = f"{asked - len(seeds)} of {asked}{'' if alone else ' each'}"
            parts.append(f"{', '.join(labels)} ({count}) {'lacks' if alone else 'lack'} {seed_list(seeds)}")
        return [f"Seeds are missing: {'; '.join(parts)}."] if parts else self._replicates_missing()

    @property
    def replicated(self) -> str:
        """A sentence on what is the mean of several cells of a seed; empty if nothing is."""
        most = {label: max(map(len, seeds.values())) for label, seeds in self.cells.items()}
        parts = [f"{label} is the mean of {count} replicates" for label, count in most.items() if count > 1]
        return f"In each seed {' and '.join(parts)}." if parts else ""

    def _replicates_missing(self) -> list[str]:
        fewer = grouped(
            ((label, len(cells)), seed)
            for label, seeds in self.cells.items()
            for seed, cells in seeds.items()
            if len(cells) < self.asked[label][seed]
        )
        return [
            f"{label} has {have} of its replicates in {seed_list(seeds)}, fewer than were asked for."
            for (label, have), seeds in fewer.items()
        ]


def basis(run: Plan, records: Iterable[Outcome]) -> Basis:
    """Decide which cells of a run count.

    Args:
        run: what was asked for.
        records: its cells.
    """
    order = (*run.labels, *(cell.label for cell in run.cells if cell.reference))
    cells: dict[str, dict[int, list[Outcome]]] = {label: {} for label in order}
    asked: dict[str, dict[int, int]] = {label: {} for label in order}
    refused = []
    for found in records:
        if found.status == "spared" or (run.stopping and found.status == "pending"):
            continue  # no seed is missing that was not needed, or not yet
        numbers = asked[found.cell.label]
        numbers[found.cell.seed] = numbers.get(found.cell.seed, 0) + 1
        if found.status != "ok":
            continue
        if undefined := _undefined(found, run.metric):
            refused.append(f"{found.cell.name} is left out of every comparison: {undefined}")
        else:
            cells[found.cell.label].setdefault(found.cell.seed, []).append(found)
    names = {cell.label: cell.sampler for cell in run.cells if not cell.reference}
    randoms = tuple(label for label, name in names.items() if name == RANDOM)
    refused += _exclude_incomparable(cells, randoms)
    kept = {
        label: {seed: tuple(sorted(same, key=lambda one: one.cell.replicate)) for seed, same in found.items()}
        for label, found in cells.items()
        if found
    }
    random = max((x for x in randoms if x in kept), key=lambda label: len(kept[label]), default=None)
    seeds = {label: frozenset(found) for label, found in kept.items()}
    return Basis(
        cells=kept,
        random=random,
        randoms=randoms,
        seed_sets=_groups({x: s for x, s in seeds.items() if x != FULL_DATA}, random, seeds.get(FULL_DATA)),
        asked={label: dict(sorted(found.items())) for label, found in asked.items()},
        refused=tuple(refused),
        mixed=tuple(_mixed(_all(kept))),
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


def _undefined(record: Outcome, metric: str) -> str:
    cycles = [c.cycle for c in record.cycles if not math.isfinite(c.metrics.get(metric, math.nan))]
    if not cycles:
        return ""
    if len(cycles) == len(record.cycles):
        return f"its {metric} is undefined"
    return f"its {metric} is undefined in cycle{'' if len(cycles) == 1 else 's'} {', '.join(map(str, cycles))}"


def _all(cells: Mapping[str, Mapping[int, Sequence[Outcome]]]) -> list[Outcome]:
    return [record for found in cells.values() for same in found.values() for record in same]


def _context(record: Outcome, fields: Sequence[str]) -> str:
    """These fields of what a cell's numbers depend on, as text that can be compared."""
    return json.dumps([record.context.get(name) for name in fields], sort_keys=True, default=str)


def _exclude_incomparable(cells: Mapping[str, dict[int, list[Outcome]]], randoms: Sequence[str]) -> list[str]:
    """Remove cells under other conditions than most of their seed, or on other data than most of the run.

    Args:
        cells: label -> seed -> cells; those that are removed are deleted.
        randoms: labels of the sampler `random`.

    Returns:
        Sentences on what was removed.
    """
    refused = []
    for seed in (*sorted({record.cell.seed for record in _all(cells)}), None):
        present = [record for record in _all(cells) if record.context and seed in (record.cell.seed, None)]
        fields = ("data",) if seed is None else PAIRED
        keys = {record.cell: _context(record, fields) for record in present}
        voters = [cell for cell in keys if not cell.reference] or list(keys)
        votes = Counter(keys[cell] for cell in voters)
        # If there are as many on each side, those that can be compared with Random.
        with_random = {keys[cell] for cell in voters if cell.label in randoms}
        most = max(votes, key=lambda key: (votes[key], key in with_random), default="")
        standard = next((cell.name for cell in voters if keys[cell] == most), "")
        for cell, key in keys.items():
            if key != most:
                pairs = zip(fields, json.loads(key), json.loads(most), strict=True)
                which = ", ".join(name for name, ours, theirs in pairs if ours != theirs)
                refused.append(
                    f"{cell.name} is left out of every comparison: it differs from {standard} in {which}"
                )
                same = cells[cell.label][cell.seed]
                same[:] = [record for record in same if record.cell != cell]
                if not same:
                    del cells[cell.label][cell.seed]
    return refused


def _mixed(records: Iterable[Outcome]) -> list[str]:
    """A sentence if seeds that count differ in conditions; pairs are within a seed, but means are over all."""
    alike = grouped((_context(found, CONDITIONS), found.cell.seed) for found in records if found.context)
    if len(alike) < 2:
        return []
    values = [json.loads(found) for found in alike]
    fields = [name for i, name in enumerate(CONDITIONS) if any(value[i] != values[0][i] for value in values)]
    parts = "; ".join(seed_list({*seeds}) for seeds in alike.values())
    return [f"Seeds were run under different {' and '.join(fields)} ({parts}); within a seed all are the same."]


def _groups(
    seeds: Mapping[str, frozenset[int]], random: str | None, reference: frozenset[int] | None
) -> tuple[SeedSet, ...]:
    found = _of_samplers(seeds, random)
    if not reference:
        return tuple(found)
    found = [SeedSet(labels=g.labels, seeds=g.seeds, reference=reference.issuperset(g.seeds)) for g in found]
    if not any(seed_set.reference for seed_set in found):
        shared = reference & seeds[random] if random else frozenset()
        labels = (random,) if random and shared else ()
        found.append(SeedSet(labels=labels, seeds=tuple(sorted(shared or reference)), reference=True))
    return tuple(found)


def _of_samplers(seeds: Mapping[str, frozenset[int]], random: str | None) -> list[SeedSet]:
    """The seed set with most comparisons, those of Random and samplers that lack the same seeds, others."""
    if not seeds:
        return []
    most = _seeds_of_most(seeds, random)
    first = SeedSet(labels=tuple(x for x in seeds if seeds[x] >= most), seeds=tuple(sorted(most)))
    own = seeds[random] if random else frozenset[int]()
    others = grouped((seeds[label] & own, label) for label in seeds if label not in first.labels)
    strangers = {label: seeds[label] for label in others.pop(frozenset(), [])}
    found = [
        SeedSet(labels=(str(random), *labels), seeds=tuple(sorted(shared))) for shared, labels in others.items()
    ]
    return [first, *found, *_of_samplers(strangers, None)]


def _seeds_of_most(seeds: Mapping[str, frozenset[int]], random: str | None) -> frozenset[int]:
    """The set of seeds over which most comparisons can be made, counting one for each seed and each sampler.

    So a sampler that fails in most seeds does not take these seeds from all the others.
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
