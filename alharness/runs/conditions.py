"""What a cell's numbers depend on, and in what finished cells differ from new ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from alharness.api.records import Cell, Plan

    from .messages import SeedFacts


def context(plan: Plan, cell: Cell, seed: SeedFacts) -> dict[str, Any]:
    """All that a cell's numbers depend on, as its journal says it: which computation it is, data and machine."""
    return {
        "experiment": plan.experiment,
        "sampler": cell.sampler,
        "params": dict(cell.params),
        "distribution": cell.distribution,
        "seed": cell.seed,
        **({"stream": cell.stream} if cell.stream else {}),
        **seed.context,
    }


def differences(
    old: Mapping[Cell, Mapping[str, Any]], new: Mapping[Cell, Mapping[str, Any]]
) -> dict[str, list[Cell]]:
    """In what finished cells differ from what they would be now.

    Args:
        old: finished cell -> the context of its journal.
        new: the same cells -> the context that a new journal would have.

    Returns:
        `<field> was <value> and is <value>` -> the cells of which it is true.
    """
    found: dict[str, list[Cell]] = {}
    for cell, was in old.items():
        plain = json.loads(json.dumps(new[cell]))  # as a journal has it
        for place, change in changes(dict(was), plain):
            found.setdefault(f"{place} {change}", []).append(cell)
    return found


def changes(old: Any, new: Any) -> Iterator[tuple[str, str]]:
    """Dotted name and `was x and is y` of every leaf in which two nested mappings differ."""
    for place, was, now in leaves(old, new):
        yield place, f"was {was} and is {now}"


def leaves(one: Any, other: Any, place: str = "") -> Iterator[tuple[str, str, str]]:
    """Dotted name of every leaf in which two nested mappings differ, and its value in each, in words."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            yield from leaves(one.get(key), other.get(key), f"{place}.{key}".lstrip("."))
    elif one != other:
        yield place, _word(one), _word(other)


def refusal(folder: Path, found: Mapping[str, list[Cell]], again: Callable[[str], str]) -> str:
    """What differs between cells on disk and new ones, and the two commands that settle it.

    Args:
        folder: the run directory.
        found: see `differences`.
        again: option -> how to call the run with it.
    """
    count = len({cell for cells in found.values() for cell in cells})
    subject = "1 cell was" if count == 1 else f"{count} cells were"
    lines = [
        f"{folder}: {subject} made under other conditions than new ones would be:",
        *(f"  {change} ({len(cells)}: {some(cells)})" for change, cells in found.items()),
        "Nothing was started. To keep them as they are, and leave them out of comparisons with new ones:",
        f"  {again('keep')}",
        "To run them again (their journals are kept under another name):",
        f"  {again('restart')}",
    ]
    return "\n".join(lines)


def some(cells: Sequence[Cell], most: int = 5) -> str:
    """Names of cells, the first of them if there are many."""
    names = [cell.name for cell in cells[:most]]
    return ", ".join([*names, "..."] if len(cells) > most else names)


def _word(value: Any) -> str:
    return "unset" if value is None else str(value)
