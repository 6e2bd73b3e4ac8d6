"""Parts of a command, for batch systems: which cells `--shard 3/8` means, decided without any other process."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Self, TypeVar

from alharness.text.words import grouped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alharness.api.records import Cell, Plan

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """One of so many parts, counted from 1. As text it is what users write: `3/8`."""

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Self:
        """What a user wrote.

        Raises:
            ValueError: it is no shard; says what to write.
        """
        found = re.fullmatch(r"\s*([0-9]{1,9})\s*/\s*([0-9]{1,9})\s*", text)
        if not found:
            variable = "; is the variable with its number set?" if re.fullmatch(r"\s*/.*", text) else ""
            raise ValueError(f"expected i/n, such as 3/8 for the third of eight, but it is {text!r:.60}{variable}")
        number, of = map(int, found.groups())
        if of == 0:
            raise ValueError(f"{text}: there is at least one shard: the only one is 1/1")
        if number == 0:
            raise ValueError(
                f"{text}: shards are counted from 1, up to {of}/{of}; number the tasks of an array job 1-{of}, or "
                "add 1 to the number"
            )
        if number > of:
            raise ValueError(f"{text}: of {of} shards, the last one is {of}/{of}")
        return cls(number, of)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def share(cells: Sequence[tuple[Plan, Sequence[Cell]]], shard: Shard) -> list[list[Cell]]:
    """The cells of a shard, of each setting of a command.

    Cells of one seed share their first model and their data, so seeds are whole while there are as many of them
    as shards; otherwise the cells of a seed are cut. A shard has seeds of as few settings as possible. The seeds
    of one setting are dealt to its shards one by one: if a spec gets more seeds, each shard has about as much left
    to do. What is finished does not count, so each process finds the same parts by itself.

    Args:
        cells: each setting, and those of its cells that the command asks for.
        shard: which part.

    Returns:
        The cells of each setting, in their order; none of some settings, or of all if there are fewer cells than
        shards.
    """
    seeds = [
        (number, own)
        for number, (_, asked) in enumerate(cells)
        for own in grouped((cell.seed, cell) for cell in asked).values()
    ]
    plans = [plan for plan, _ in cells]
    work = [[_work(plans[number], cell) for cell in own] for number, own in seeds]
    parts = min(shard.of, sum(map(len, work)))
    found: dict[int, list[Cell]] = defaultdict(list)
    if parts <= len(seeds):
        for (number, own), part in zip(seeds, _dealt(seeds, [*map(sum, work)], parts), strict=True):
            if part == shard.number - 1:
                found[number] += own
    else:
        first = 0
        for (number, own), costs, count in zip(seeds, work, counts(work, parts), strict=True):
            if first < shard.number <= first + count:
                start, end = cut(costs, count)[shard.number - 1 - first]
                found[number] += own[start:end]
            first += count
    return [found[number] for number in range(len(cells))]


def cut(work: Sequence[float], parts: int) -> list[tuple[int, int]]:
    """First and last+1 of neighbours that have about as much work; no part is empty.

    Args:
        work: of each, more than 0.
        parts: how many; at most as many as there are.
    """
    # From the end, so that of equal ones the first parts have more: seeds that are added change no shard's others.
    found, end, rest = [], len(work), sum(work)
    for left in range(parts, 0, -1):
        start, done = end - 1, work[end - 1]
        while start and (left == 1 or (start >= left and done + work[start - 1] <= rest / left)):
            start -= 1
            done += work[start]
        found.append((start, end))
        end, rest = start, rest - done
    return found[::-1]


def _work(plan: Plan, cell: Cell) -> float:
    """Labels that a cell trains on, over all its cycles: what is known before anything is measured."""
    return float(max(1, sum(plan.labeled(cell))))


def _dealt(seeds: Sequence[tuple[int, T]], work: Sequence[float], parts: int) -> Iterator[int]:
    """The part of each seed: neighbours, and within each setting one seed for each part in turn."""
    whole = enumerate(cut(work, parts))
    places = grouped((seeds[index][0], part) for part, (start, end) in whole for index in range(start, end))
    for of_setting in places.values():
        turns = Counter(of_setting)
        yield from (part for _, part in sorted((turn, part) for part in turns for turn in range(turns[part])))


def counts(work: Sequence[Sequence[float]], parts: int) -> list[int]:
    """How many parts each seed is cut into: more if it has more work, and no more than it has cells.

    Args:
        work: of the cells of each seed.
        parts: how many in all: as many as there are seeds, or more, and no more than there are cells.
    """
    found = [1] * len(work)
    most = [(-sum(costs), index) for index, costs in enumerate(work) if len(costs) > 1]
    heapify(most)
    for _ in range(parts - len(work)):
        _, index = heappop(most)
        found[index] += 1
        if found[index] < len(work[index]):
            heappush(most, (-sum(work[index]) / found[index], index))
    return found
