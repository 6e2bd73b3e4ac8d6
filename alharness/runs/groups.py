"""Which cells train together."""

from __future__ import annotations

import math
from contextlib import suppress
from operator import index
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


def cut(plan: Plan, cells: Sequence[Cell], stack: int | None) -> list[tuple[Cell, ...]]:
    """Cut cells into groups: as many for each worker, with about as much left to train in each.

    Cells stay in their order, so that those of a seed, which share a model, are together. References are apart:
    their models train on many more labels, in stacks of their own.

    Args:
        plan: of the run, as observers get it.
        cells: those to run.
        stack: most cells of a group; None for as many as are of use on the device.
    """
    most = stack or MOST.get(plan.params.get("device", ""), min(MOST.values()))
    groups: list[tuple[Cell, ...]] = []
    for reference in (False, True):
        alike = [cell for cell in cells if cell.reference is reference]
        work = [sum(plan.labeled(cell)[plan.finished.get(cell.name, 0) :]) for cell in alike]
        rounds = math.ceil(len(alike) / (plan.jobs * most))
        groups += (tuple(alike[start:end]) for start, end in _parts(work, plan.jobs * rounds, most))
    return groups


def _parts(work: Sequence[int], number: int, most: int) -> Iterator[tuple[int, int]]:
    """First and last+1 of so many neighbours, none of more than `most`, that share work evenly; none is empty."""
    start = 0
    for part in range(number, 0, -1):
        share, end = sum(work[start:]) / part, start
        fewest = len(work) - start - (part - 1) * most  # so that those that follow can take the others
        done = 0.0
        while end < len(work) and end - start < most and (end - start < fewest or done + work[end] / 2 <= share):
            done += work[end]
            end += 1
        if end > start:
            yield start, end
        start = end
