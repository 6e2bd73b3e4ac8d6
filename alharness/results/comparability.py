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
    from collections.abc import Iterable, Mapping, Sequence

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
COUNTING = "count_val_in_budget"
"""A key of `training` that changes how labels are counted, and no result."""

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
        differing.append(f"schedule: {_labels(old)} and {_labels(new)} labels")
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


def conditions(old: RunResults, new: RunResults, pairs: Iterable[Pairing]) -> tuple[str, ...]:
    """Sentences on what else differs, and may alter numbers of samplers that are as they were."""
    found: dict[str, None] = {}
    for one, other in pairs:
        a, b = one.context, other.context
        if a and b:
            changed = dict(changes({name: a.get(name) for name in CONDITIONS}, {n: b.get(n) for n in CONDITIONS}))
            found |= {
                f"{name} {change}; the last bits of numbers may differ": None for name, change in changed.items()
            }
    if old.run.spec_text != new.run.spec_text:
        settings = changes(_settings(old), _settings(new))
        found |= {f"{name} {change}; every sampler may feel it": None for name, change in settings}
    before, after = ({"alharness": results.run.environment.get("alharness")} for results in (old, new))
    found |= {f"{name} {change}": None for name, change in changes(before, after)}
    return tuple(found)


def other_machine(old: RunResults, new: RunResults) -> str:
    """Why times of the two runs say nothing about each other; empty if they do."""
    a, b = ({name: results.run.environment.get(name) for name in MACHINE} for results in (old, new))
    found = [f"{name} {change}" for name, change in changes(a, b)]
    return f"another machine: {', '.join(found)}" if found else ""


def changed_parameters(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences, one for each parameter of a sampler that differs."""
    return tuple(f"{name} {change}" for name, change in changes(dict(old), dict(new)))


def _labels(results: RunResults) -> str:
    return ", ".join(map(str, results.run.schedule.labeled))


def _settings(results: RunResults) -> dict[str, Any]:
    from alharness.spec.yamlfile import parse  # brings all that reads specs

    if not results.run.spec_text:
        return {}
    spec = parse(results.run.spec_text, str(results.run.folder / "run.json")).data
    found = {name: spec.get(name) for name in SETTINGS} if isinstance(spec, dict) else {}
    if isinstance(training := found.get("training"), dict):
        found["training"] = {name: value for name, value in training.items() if name != COUNTING}
    return found


def query_seconds(old: Outcome, new: Outcome) -> tuple[float, float] | None:
    """Seconds of all queries of two cells; None if one of them has none."""
    measured = [[c.cost["query_seconds"] for c in cell.cycles if "query_seconds" in c.cost] for cell in (old, new)]
    return (sum(measured[0]), sum(measured[1])) if measured[0] and measured[1] else None


def judge(pairs: Sequence[Pairing], machine: str, slower: float) -> Time:
    """Compare the queries of a sampler.

    Args:
        pairs: its complete cells, of OLD and of NEW, one pair per seed.
        machine: why the two machines cannot be compared; empty if they can.
        slower: how many times as long the queries of every cell must take to count as slower.
    """
    found = {old.cell.seed: query_seconds(old, new) for old, new in pairs}
    seconds = {seed: both for seed, both in found.items() if both}
    if not seconds:
        return Time(unjudged="no queries in common")
    if machine:
        return Time(unjudged=machine)
    machines = sorted({c.machine for cells in pairs for cell in cells for c in cell.cycles if c.machine})
    if len(machines) > 1:
        return Time(unjudged=f"measured on several machines: {'; '.join(machines)}")
    sides = zip(("OLD", "NEW"), zip(*pairs, strict=True), strict=True)
    shared = [name for name, cells in sides if any(cell.timing == "shared" for cell in cells)]
    if shared:
        return Time(unjudged=f"measured while other cells were running, in {' and '.join(shared)}; see --retime")
    if all(max(both) < FLOOR for both in seconds.values()):
        return Time(unjudged=f"all queries of a cell take less than {FLOOR} s")
    ratios = {seed: new / old if old else math.inf for seed, (old, new) in seconds.items()}
    # Against the floor at least, so that noise below it is never a factor.
    judged = [new / max(old, FLOOR) for old, new in seconds.values()]
    return Time(ratio=median(ratios.values()), seeds=tuple(ratios.items()), slower=min(judged) > slower)
