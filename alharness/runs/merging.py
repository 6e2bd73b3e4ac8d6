"""Run directories of the same spec that were made apart, on hosts without a common disk say, become one.

First all is compared in which they could contradict each other: the setting, the conditions of the cells, and
the cells that several have. If nothing differs, journals are copied.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from alharness.errors import DataError, RunError, SpecError
from alharness.spec import yamlfile
from alharness.text.words import grouped

from . import journal, pooltable, saved
from .claims import Claims, at_work
from .conditions import leaves, some
from .directory import RunDirectory
from .files import TEMPORARY, explain, sync_folder, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from alharness.api.records import Cell, Outcome, Plan

OWN = ("sampler", "params", "distribution", "seed", "stream")
"""In what cells of one run may differ."""
OF_SEED = ("split", "initial_pool")
"""In what cells of different seeds may differ."""


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What became of the run directories of one setting.

    Attributes:
        folder: the run directory that holds all now.
        copied: run directory -> cells that were taken from it.
        complete: cells with every cycle.
        cells: all cells.
    """

    folder: Path
    copied: Mapping[Path, int]
    complete: int
    cells: int


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A run directory that is read."""

    plan: Plan
    outcomes: Mapping[Cell, Outcome] = field(repr=False)

    @property
    def folder(self) -> Path:
        return self.plan.folder


def merge(target: Path, sources: Sequence[Path], warn: Callable[[str], None]) -> list[Merged]:
    """Copy the cells of run directories into one for each setting.

    A cell that several have is taken from the one with most cycles. Those of `target` are kept if they are as far.

    Args:
        target: a run directory, or a folder in which run directories are, or will be made.
        sources: run directories, or folders of them.
        warn: called with what is left out.

    Raises:
        SpecError: they are of different settings or were made under different conditions, or one is in use.
        DataError: they are of different data.
        RunError: one cannot be read, or something cannot be written.
    """
    parts = [_read(folder) for source in sources for folder in _runs_in(source, target)]
    by_name = grouped((part.plan.name, part) for part in parts)
    into = {name: _target(target, own, alone=len(by_name) == 1) for name, own in by_name.items()}
    for name, folder in into.items():
        for part in by_name[name]:
            if _same(folder, part.folder):
                raise SpecError(f"{part.folder}: is to be merged into itself; name only others after the first")
        if (folder / saved.NAME).exists():
            by_name[name].insert(0, _read(folder))
    for name, own in by_name.items():  # of all settings, before anything is written
        _require_alike(own)
        _require_idle(part for part in own if part.folder != into[name])
        _warn_of_namesakes(into[name], own[0], warn)
    return [_merge(into[name], own, warn) for name, own in by_name.items()]


def _runs_in(source: Path, target: Path) -> list[Path]:
    if (source / saved.NAME).exists():
        return [source]
    found = sorted(path.parent for path in source.glob(f"*/{saved.NAME}") if not _same(path.parent, target))
    if not found:
        saved.plan_of(source)  # which says what is wrong with it
    return found


def _read(folder: Path) -> _Part:
    plan, outcomes = saved.load(folder)
    return _Part(plan=plan, outcomes={outcome.cell: outcome for outcome in outcomes})


def _target(target: Path, parts: Sequence[_Part], *, alone: bool) -> Path:
    """The run directory of a setting: `target` if it is one or has the name of one, otherwise one in it."""
    name = parts[0].plan.experiment
    is_run = (target / saved.NAME).exists() or target.name == name
    if is_run and not alone:
        names = ", ".join(sorted({part.plan.name for part in parts}))
        raise SpecError(
            f"{target}: is the run directory of one setting, and there are others, as {names}; name a folder"
        )
    return target if is_run else target / name


def _same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return False


def _require_idle(parts: Iterable[_Part]) -> None:
    for part in parts:
        for _, who in at_work(RunDirectory(part.folder)):
            raise SpecError(
                f"{part.folder}: {who} works in it; wait until it has ended, or stop it, and merge then"
            )


def _warn_of_namesakes(folder: Path, part: _Part, warn: Callable[[str], None]) -> None:
    """Say so if runs of another setting with the same name are next to a new run directory."""
    if folder.exists():
        return
    for path in sorted(folder.parent.glob(f"{part.plan.name}-*/{saved.NAME}")):
        with suppress(RunError):
            other = _Part(plan=saved.plan_of(path.parent), outcomes={})
            if other.plan.name == part.plan.name:
                what = "; ".join(_differing_settings([other, part]))
                warn(f"{folder}: is kept apart from {path.parent}, which is another setting: {what}")


def _require_alike(parts: Sequence[_Part]) -> None:
    """Raise SpecError, or DataError, with all in which runs differ that must not."""
    found = [*_differing_settings(parts)] or [*_differing_samplers(parts), *_differing_conditions(parts)]
    found = found or [*_contradictions(parts)]
    if found:
        kind = DataError if any(line.startswith(("data ", "data: ")) for line in found) else SpecError
        lines = "\n".join(f"  {line}" for line in dict.fromkeys(found))
        raise kind(
            f"{parts[0].plan.name}: these runs cannot be merged, since they do not agree:\n{lines}\n"
            "Nothing was copied. Leave one of them out, or run it again under the conditions of the others."
        )


def _differing_settings(parts: Sequence[_Part]) -> Iterator[str]:
    first, *others = parts
    for part in others:
        if part.plan.experiment == first.plan.experiment:
            continue
        found = [*leaves(_setting(first.plan), _setting(part.plan))]
        for place, one, other in found:
            yield f"{place}: {one} in {first.folder}, {other} in {part.folder}"
        if not found:
            yield f"the version of the data set's or the model's plugin, in {first.folder} and in {part.folder}"


def _setting(plan: Plan) -> dict[str, Any]:
    spec = _spec(plan)
    shared = {key: spec.get(key) for key in ("dataset", "model", "training", "active_learning")}
    return {"alharness": plan.environment.get("alharness"), **shared}


def _differing_samplers(parts: Sequence[_Part]) -> Iterator[str]:
    known: dict[str, tuple[dict[str, Any], Path]] = {}
    for part in parts:
        for cell in part.plan.cells:
            own = {"sampler": cell.sampler, "params": dict(cell.params), "distribution": cell.distribution}
            before, folder = known.setdefault(cell.label, (own, part.folder))
            for place, one, other in leaves(before, own):
                yield f"{cell.label}: {place}: {one} in {folder}, {other} in {part.folder}"


def _differing_conditions(parts: Sequence[_Part]) -> Iterator[str]:
    """Of cells that are begun: what all must share, and what those of a seed must share."""
    begun = [(part, cell, one.context) for part in parts for cell, one in part.outcomes.items() if one.context]
    yield from _differing(
        [(part, cell, {k: v for k, v in was.items() if k not in (*OWN, *OF_SEED)}) for part, cell, was in begun]
    )
    of_seed = ((part, cell, {key: was.get(key) for key in OF_SEED}) for part, cell, was in begun)
    for seed, own in grouped((cell.seed, entry) for entry in of_seed for cell in [entry[1]]).items():
        yield from (f"seed {seed}: {line}" for line in _differing(own))


def _differing(entries: Sequence[tuple[_Part, Cell, dict[str, Any]]]) -> Iterator[str]:
    """In what cells differ from the first one."""
    found = (
        ((place, one, other, part.folder), cell)
        for part, cell, was in entries
        for place, one, other in leaves(entries[0][2], was)
    )
    for (place, one, other, folder), cells in grouped(found).items():
        yield f"{place}: {one} in {entries[0][0].folder}, {other} in {folder} ({len(cells)}: {some(cells)})"


def _contradictions(parts: Sequence[_Part]) -> Iterator[str]:
    """Of cells that several runs have: cycles in which they differ."""
    known: dict[Cell, tuple[Outcome, Path]] = {}
    for part in parts:
        for cell, outcome in part.outcomes.items():
            before, folder = known.setdefault(cell, (outcome, part.folder))
            for one, other in zip(before.cycles, outcome.cycles, strict=False):
                if different := [name for name in _COMPARED if getattr(one, name) != getattr(other, name)]:
                    what = " and ".join(different)
                    yield f"{cell.name}: {what} of cycle {one.cycle} in {folder} and in {part.folder}"
                    break
            if len(outcome.cycles) > len(before.cycles):
                known[cell] = outcome, part.folder


_COMPARED = ("labeled", "chosen", "scores", "metrics", "diagnostics")
"""What is the same whenever a cell runs, and was not measured."""


def _merge(folder: Path, parts: Sequence[_Part], warn: Callable[[str], None]) -> Merged:
    """Copy what `folder` does not have. It may be one of the parts, and is the first one then."""
    plan = replace(_joined([part.plan for part in parts]), folder=folder)
    best = {cell: _best(parts, cell) for cell in plan.cells}
    outcomes = [part.outcomes[cell] for cell, part in best.items()]
    wanted = {cell: part for cell, part in best.items() if part.folder != folder and part.outcomes[cell].context}
    for part in parts:
        for cell, outcome in part.outcomes.items():
            if not outcome.context and _journal(part, cell).exists():
                taken = best[cell].outcomes[cell].context
                instead = f"That in {best[cell].folder} is taken" if taken else "The cell is left out"
                warn(f"{outcome.error or cell.name}. {instead}")
    with Claims(RunDirectory(folder), warn) as claims:
        claims.claim(wanted)
        try:
            for cell, part in wanted.items():
                if folder == parts[0].folder and cell in parts[0].outcomes and not parts[0].outcomes[cell].context:
                    journal.set_aside(claims.directory.cell(cell))  # damaged
                _copy_folder(_journal(part, cell).parent, claims.directory.cell(cell), last=journal.NAME)
            for part in parts:
                _copy_folder(part.folder / "fits", claims.directory.fits)
                _copy(part.folder / pooltable.NAME, folder / pooltable.NAME)
        except OSError as error:
            raise RunError(explain(error, folder)) from error
        plan = replace(plan, finished={one.cell.name: len(one.cycles) for one in outcomes})
        with claims.writing():
            write(folder / "spec.yaml", plan.spec_text)
            saved.save(plan, outcomes)
    complete = sum(outcome.status == "ok" for outcome in outcomes)
    copied = Counter(part.folder for part in wanted.values())
    return Merged(folder=folder, copied=copied, complete=complete, cells=len(plan.cells))


def _best(parts: Sequence[_Part], cell: Cell) -> _Part:
    """The first of those that have most cycles of a cell; then, that have begun it or say how it ended."""

    def reached(part: _Part) -> tuple[int, bool, bool]:
        outcome = part.outcomes[cell]
        return len(outcome.cycles), bool(outcome.context), outcome.status != "pending"

    return max((part for part in parts if cell in part.outcomes), key=reached)


def _joined(plans: Sequence[Plan]) -> Plan:
    """One plan with the cells of all, seed by seed; its spec has the seeds and samplers of all."""
    first = plans[0]
    if all(plan.cells == first.cells for plan in plans):
        return first
    cells = dict.fromkeys(cell for plan in plans for cell in plan.cells)
    seeds, labels = ([*dict.fromkeys(values)] for values in zip(*((c.seed, c.label) for c in cells), strict=True))
    order = sorted(cells, key=lambda c: (seeds.index(c.seed), c.reference, c.replicate, labels.index(c.label)))
    skips = dict.fromkeys(skip for plan in plans for skip in plan.skips)
    return replace(first, cells=tuple(order), skips=tuple(skips), spec_text=_joined_text(plans, seeds))


def _joined_text(plans: Sequence[Plan], seeds: list[int]) -> str:
    specs = [_spec(plan) for plan in plans]
    try:
        samplers = {sampler["label"]: sampler for spec in specs for sampler in spec["samplers"]}
    except (KeyError, TypeError) as error:
        raise RunError(f"{plans[0].folder / saved.NAME}: its spec has no samplers; run it again") from error
    joined = {**specs[0], "samplers": [*samplers.values()]}
    if not isinstance(
        joined.get("seeds"), dict
    ):  # those that stop are numbered, and say how many there are at most
        joined["seeds"] = len(seeds) if sorted(seeds) == [*range(len(seeds))] else seeds
    return yamlfile.write(joined)


def _spec(plan: Plan) -> dict[str, Any]:
    found = yamlfile.parse(plan.spec_text, str(plan.folder / saved.NAME)).data
    return found if isinstance(found, dict) else {}


def _journal(part: _Part, cell: Cell) -> Path:
    return part.folder / "cells" / cell.folder / journal.NAME


def _copy_folder(source: Path, target: Path, *, last: str = "") -> None:
    """Copy the files of a folder that are not there yet, and in the end the last one in any case."""
    names = sorted(
        path.name for path in source.glob("*") if not path.name.startswith(TEMPORARY) and path.name != last
    )
    for name in names:
        _copy(source / name, target / name)
    if last:
        target.mkdir(parents=True, exist_ok=True)
        write(target / last, (source / last).read_bytes())
        sync_folder(target)


def _copy(source: Path, target: Path) -> None:
    """Copy a file, whole or not at all, if it is not there yet. Links are passed over: they may lead anywhere."""
    if source.is_file() and not source.is_symlink() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        write(target, source.read_bytes())
