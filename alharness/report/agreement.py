"""Whether cells were run on the same data and under the same conditions."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from .reading import PAIRED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from alharness.api.records import Cell, Outcome


def drop_strangers(
    cells: Mapping[str, dict[int, Outcome]], known: Mapping[Cell, Mapping[str, Any]], randoms: Sequence[str]
) -> list[str]:
    """Take out cells under other conditions than most of their seed, or on other data than most of the run.

    Args:
        cells: label -> seed -> cell; those that are taken out are deleted.
        known: cell -> what its numbers depend on, absent if not known.
        randoms: labels of the sampler `random`.

    Returns:
        Sentences on what was taken out.
    """
    by_seed: dict[int, list[Cell]] = {}
    for cell in all_cells(cells):
        by_seed.setdefault(cell.seed, []).append(cell)
    refused = []
    for seed in sorted(by_seed):
        refused += _drop(cells, by_seed[seed], known, randoms, PAIRED)
    return refused + _drop(cells, all_cells(cells), known, randoms, ("data",))


def _drop(
    cells: Mapping[str, dict[int, Outcome]],
    present: Iterable[Cell],
    known: Mapping[Cell, Mapping[str, Any]],
    randoms: Sequence[str],
    fields: Sequence[str],
) -> list[str]:
    """Take out those of the present cells that differ from most of them in these fields, and say so."""
    conditions = {cell: [known[cell].get(name) for name in fields] for cell in present if cell in known}
    keys = {cell: json.dumps(found, sort_keys=True, default=str) for cell, found in conditions.items()}
    if not keys:
        return []
    voters = [cell for cell in keys if not cell.reference] or list(keys)
    votes = Counter(keys[cell] for cell in voters)
    # Of as many on each side, those that can be compared with Random.
    with_random = {keys[cell] for cell in voters if cell.label in randoms}
    most = max(votes, key=lambda key: (votes[key], key in with_random))
    standard = next(cell for cell in voters if keys[cell] == most)
    refused = []
    for cell, key in keys.items():
        if key != most:
            pairs = zip(fields, conditions[cell], conditions[standard], strict=True)
            which = ", ".join(name for name, ours, theirs in pairs if ours != theirs)
            refused.append(
                f"{cell.name} is left out of every comparison: it differs from {standard.name} in {which}"
            )
            del cells[cell.label][cell.seed]
    return refused


def all_cells(cells: Mapping[str, Mapping[int, Outcome]]) -> list[Cell]:
    """The cells of all labels and seeds."""
    return [record.cell for found in cells.values() for record in found.values()]
