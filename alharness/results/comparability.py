"""Whether two runs can be compared at all, and their query times; what else than samplers differs between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from alharness.errors import RunError
from alharness.runs.conditions import changes

from .basis import CONDITIONS, FOUNDATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from alharness.api.records import Outcome

    from .run import RunResults

FLOOR = 0.05
"""Seconds of all queries of a cell below which times are noise."""
SLOWER = 1.5
"""How many times as long queries must take to count as slower."""
MACHINE = ("cpu", "cores", "threads", "device", "gpu", "platform")
"""Facts of an environment that decide how long a query takes."""
SETTINGS = ("dataset", "model", "training")
"""Parts of a spec that change what every sampler is given."""
COUNTING = "training.count_val_in_budget"
"""A value that changes how labels are counted, and no result."""

Pairing = tuple["Outcome", "Outcome"]
"""The cells of one sampler and seed, of OLD and of NEW."""


@dataclass(frozen=True, kw_only=True)
class Time:
    """Seconds of all queries of a cell, of NEW as a multiple of OLD.

    Attributes:
        ratio: median over seeds; None if it was not judged.
        seeds: (seed, ratio) of each.
        slower: by more than the factor that counts in every seed, and so in the median.
        unjudged: why it was not judged; empty if it was.
    """

    ratio: float | None = None
    seeds: tuple[tuple[int, float], ...] = ()
    slower: bool = False
    unjudged: str = ""


def require_comparable(old: RunResults, new: RunResults, pairs: Iterable[Pairing]) -> None:
    """Raise RunError, with the fields that differ, if the difference is not a sampler's."""
    differing = []
    if old.run.schedule != new.run.schedule:
        labeled = (", ".join(map(str, run.run.schedule.labeled)) for run in (old, new))
        differing.append(f"schedule: {' and '.join(labeled)} labels")
    for one, other in pairs:
        a, b = one.context, other.context
        fields = [name for name in FOUNDATION if a and b and a.get(name) != b.get(name)]
        if fields:
            differing.append(f"{', '.join(fields)} (of {one.cell.name})")
            break
    if differing:
        raise RunError(
            f"{old.run.folder} and {new.run.folder} cannot be compared: they differ in {'; '.join(differing)}. "
            "Run one spec on one data set with both versions of the sampler"
        )


def notes(old: RunResults, new: RunResults, pairs: Iterable[Pairing]) -> tuple[str, ...]:
    """Sentences on what else differs, and may alter numbers of samplers that are as they were."""
    contexts = [(one.context, other.context) for one, other in pairs if one.context and other.context]
    differing = (found for a, b in contexts for found in _changes(a, b, CONDITIONS))
    found = [
        f"{name} {change}; {'all numbers' if name == 'journal format' else 'the last bits of numbers'} may differ"
        for name, change in differing
    ]
    if old.run.spec_text != new.run.spec_text:
        settings = _changes(_spec(old), _spec(new), SETTINGS)
        found += [f"{name} {change}; every sampler may feel it" for name, change in settings if name != COUNTING]
    versions = _changes(old.run.environment, new.run.environment, ("alharness",))
    return tuple(dict.fromkeys([*found, *(f"{name} {change}" for name, change in versions)]))


def other_machine(old: RunResults, new: RunResults) -> str:
    """Why times of the two runs say nothing about each other; empty if they do."""
    found = [f"{name} {change}" for name, change in _changes(old.run.environment, new.run.environment, MACHINE)]
    return f"another machine: {', '.join(found)}" if found else ""


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], names: Iterable[str]) -> list[tuple[str, str]]:
    """Which of these values differ, and how."""
    a, b = ({name: values.get(name) for name in names} for values in (old, new))
    return [*changes(a, b)]


def _spec(results: RunResults) -> dict[str, Any]:
    from alharness.spec.yamlfile import parse  # brings all that reads specs

    if not results.run.spec_text:
        return {}
    spec = parse(results.run.spec_text, str(results.run.folder / "run.json")).data
    return spec if isinstance(spec, dict) else {}


def about(pairs: Iterable[Pairing]) -> tuple[str, ...]:
    """Sentences on what else differs of a sampler, once for all seeds."""
    found = []
    for old, new in ((one.cell, other.cell) for one, other in pairs):
        if old.distribution != new.distribution:
            found.append(f"it came from {old.distribution or 'nowhere'} and comes from {new.distribution}")
        if old.sampler != new.sampler:
            found.append(f"it was {old.sampler} and is {new.sampler}")
        found += [f"{name} {change}" for name, change in changes(dict(old.params), dict(new.params))]
    return tuple(dict.fromkeys(found))


def cost(name: str) -> Callable[[Outcome], list[float]]:
    """Values of a cost in the cycles of a cell that have it."""
    return lambda cell: [cycle.cost[name] for cycle in cell.cycles if name in cycle.cost]


def both_sides(
    pairs: Sequence[Pairing], values: Callable[[Outcome], list[float]], join: Callable[[list[float]], float]
) -> tuple[float, float] | None:
    """One number of all cells of OLD, and one of NEW; None if one of them has no values."""
    old, new = ([value for cells in pairs for value in values(cells[side])] for side in (0, 1))
    return (join(old), join(new)) if old and new else None


def judge(pairs: Sequence[Pairing], machine: str, slower: float) -> Time:
    """Compare the queries of a sampler.

    Args:
        pairs: its complete cells, of OLD and of NEW; of replicates the first is timed.
        machine: why the two machines cannot be compared; empty if they can.
        slower: how many times as long the queries of every cell must take to count as slower.
    """
    first = [pair for pair in pairs if pair[0].cell.replicate == 1]
    measured = {old.cell.seed: both_sides([(old, new)], cost("query_seconds"), sum) for old, new in first}
    seconds = {seed: both for seed, both in measured.items() if both}
    machines = sorted({c.machine for cells in pairs for cell in cells for c in cell.cycles if c.machine})
    shared = [
        name for side, name in enumerate(("OLD", "NEW")) if any(cells[side].timing == "shared" for cells in pairs)
    ]
    if not seconds:
        unjudged = "no queries in common"
    elif machine:
        unjudged = machine
    elif len(machines) > 1:
        unjudged = f"measured on several machines: {'; '.join(machines)}"
    elif shared:
        unjudged = f"measured while other cells were running, in {' and '.join(shared)}; see --retime"
    elif all(max(both) < FLOOR for both in seconds.values()):
        unjudged = f"all queries of a cell take less than {FLOOR} s"
    else:
        ratios = {seed: new / old if old else math.inf for seed, (old, new) in seconds.items()}
        # Against the floor at least, so that noise below it is never a factor.
        judged = [new / max(old, FLOOR) for old, new in seconds.values()]
        return Time(ratio=median(ratios.values()), seeds=tuple(ratios.items()), slower=min(judged) > slower)
    return Time(unjudged=unjudged)
