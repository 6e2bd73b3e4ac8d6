"""Which cells train together."""

from __future__ import annotations

import math
from contextlib import suppress
from operator import index
from statistics import mean
from typing import TYPE_CHECKING

from alharness.engine.stack import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alharness.api.records import Cell, Plan


def stack_size(value: object) -> int | None:
    """Most cells of a group, as users write it: a whole number from 1 on; or `auto`, which is None.

    Raises:
        ValueError: it is something else; says what to write.
    """
    if value in (None, "auto"):
        return None
    with suppress(TypeError, ValueError):
        number = int(value) if isinstance(value, str) else index(value)  # type: ignore[arg-type]
        if number >= 1:
            return number
    raise ValueError(f"expected a whole number from 1 on, or auto, but it is {value!r:.60}")


START = 3
"""A group costs as if it had so many cells more; chosen so that the workers of whole runs ended together."""

FORWARD = 1 / 3
"""Share of a pass that only predicts, as over validation samples, in one that trains."""


def cut(plan: Plan, cells: Sequence[Cell], stack: int | None) -> list[tuple[Cell, ...]]:
    """Cut cells into groups, as few as keep all workers at work until about the same time.

    Cells stay in their order, so that those of a seed, which share a model, are together. References are apart:
    their models train on many more labels, in stacks of their own. Groups are taken in the order returned.

    Args:
        plan: of the run, as observers get it.
        cells: those to run.
        stack: most cells of a group; None for as many as are of use on the device.
    """
    most = stack or MOST.get(plan.params.get("device", ""), min(MOST.values()))
    own, references = ([cell for cell in cells if cell.reference is reference] for reference in (False, True))
    work, apart = _work(plan, own), _work(plan, references)
    number = math.ceil(len(apart) / most)
    while number < min(plan.jobs, len(apart)) and _free(work, apart, number, plan.jobs)[-1] < 0:
        number += 1
    shares = [share - START * mean(work or [0]) for share in _free(work, apart, number, plan.jobs)]
    rounds = math.ceil(len(own) / (plan.jobs * most))
    if rounds > 1:
        shares = [1.0] * plan.jobs * rounds  # who is done first takes more of them
        number = max(number, min(plan.jobs, len(apart)))  # and of these, which come last
    return [
        *(tuple(own[start:end]) for start, end in _parts(work, shares, most)),
        *(tuple(references[start:end]) for start, end in _parts(apart, [1.0] * number, most)),
    ]


def _work(plan: Plan, cells: Sequence[Cell]) -> list[float]:
    """Labels that each cell has to train on, over all cycles that are left, and what validation adds to them."""
    left = (plan.labeled(cell)[plan.finished.get(cell.name, 0) :] for cell in cells)
    return [sum(labeled) + len(labeled) * (plan.valid or 0) * FORWARD for labeled in left]


def _cost(work: Sequence[float], groups: int) -> float:
    """Of cells in so many groups."""
    return sum(work) + START * groups * mean(work) if work else 0.0


def _free(work: Sequence[float], apart: Sequence[float], number: int, jobs: int) -> list[float]:
    """What each worker can do of `work`, most first, if the references `apart` are cut into so many groups.

    Less than nothing for a worker whose references alone take longer than all ought to.
    """
    free = [(_cost(work, jobs) + _cost(apart, number)) / jobs] * jobs
    for _ in range(number):
        free[free.index(max(free))] -= _cost(apart, number) / number
    return sorted(free, reverse=True)


def _parts(work: Sequence[float], shares: Sequence[float], most: int) -> Iterator[tuple[int, int]]:
    """First and last+1 of neighbours, for each share about as much work; none of more than `most`, none empty."""
    start, shares = 0, [max(share, 0.0) for share in shares]
    for number, own in enumerate(shares):
        left = len(shares) - number - 1
        share = sum(work[start:]) * own / sum(shares[number:]) if own else 0.0
        fewest, end = len(work) - start - left * most, start  # so that those that follow can take the others
        done = 0.0
        while end < len(work) and end - start < most and (end - start < fewest or done + work[end] / 2 <= share):
            done += work[end]
            end += 1
        if end > start:
            yield start, end
        start = end
