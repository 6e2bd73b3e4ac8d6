"""The plan of a run and how its cells ended, as `run.json` in the run directory: all that journals do not hold.

With it a run can be read without its spec and its plugins.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from alharness.api.records import Outcome, Plan, Status
from alharness.errors import RunError

from . import journal
from .files import write

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

    from alharness.api.records import Cell

NAME = "run.json"
KNOWN = ("metric", "lower_is_better", "headline", "params", "environment", "valid")
"""Of a plan, what is known when the data are made."""


@dataclass(frozen=True, kw_only=True)
class _End:
    """How the last attempt at a cell ended that is not complete."""

    status: Status
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class _File:
    """Content of the file: the plan of the last `run` command, and folder of a cell -> its end."""

    run: Plan
    ended: Mapping[str, _End] = field(default_factory=dict)
    format: Literal[1] = 1


def save(plan: Plan, outcomes: Iterable[Outcome] = ()) -> None:
    """Write it into the run directory, in the place of an older one."""
    _write(plan, _ends(outcomes))


def begin(plan: Plan, cells: Collection[Cell]) -> None:
    """Write what this `run` command was asked for, in the place of what an earlier one was.

    Args:
        plan: what was asked for.
        cells: those that it will work on: how they ended before is forgotten, and how others ended is kept.
    """
    _write(plan, _other_ends(_read_if_sound(plan.folder), cells))


def conclude(plan: Plan, outcomes: Collection[Outcome]) -> None:
    """Write how cells ended. A `run` command that began later, next to this one, keeps its place.

    Args:
        plan: what was asked for.
        outcomes: of the cells that this command worked on.
    """
    found = _read_if_sound(plan.folder)
    kept = _other_ends(found, [outcome.cell for outcome in outcomes])
    _write(found.run if found else plan, {**kept, **_ends(outcomes)})


def with_known(plan: Plan) -> Plan:
    """The plan, with what an earlier command has found out of data and device, if it has made the data."""
    found = _read_if_sound(plan.folder)
    return replace(plan, **{name: getattr(found.run, name) for name in KNOWN}) if found else plan


def plan_of(folder: Path) -> Plan:
    """The plan alone. Raises RunError if there is none, or it is not ours."""
    return _read(folder).run


def load(folder: Path, look: Callable[[Plan, Cell], Outcome] | None = None) -> tuple[Plan, list[Outcome]]:
    """The plan, and how far each of its cells is, by its journal; how it ended, if it is not complete.

    The plan's folder is the one in which it was found, wherever that was moved.

    Args:
        folder: the run directory.
        look: says how far a cell is; by default, and for others to build on, `outcome_of`.

    Raises:
        RunError: there is none, or it is not ours.
    """
    found = _read(folder)
    outcomes = []
    for cell in found.run.cells:
        outcome, end = (look or outcome_of)(found.run, cell), found.ended.get(cell.folder)
        if end and outcome.status == "pending" and (found.run.stopping or end.status != "spared"):
            outcome = replace(outcome, status=end.status, error=end.error)
        outcomes.append(outcome)
    return found.run, outcomes


def outcome_of(plan: Plan, cell: Cell) -> Outcome:
    """The cell as its journal has it: complete or pending; failed if the journal is damaged."""
    labeled = plan.labeled(cell)
    try:
        found = journal.read(plan.folder / "cells" / cell.folder / journal.NAME, labeled)
    except RunError as error:
        return Outcome(cell=cell, status="failed", error=str(error))
    if found is None:
        return Outcome(cell=cell, status="pending")
    header, done = found
    status: Status = "ok" if len(done) == len(labeled) else "pending"
    return Outcome(cell=cell, status=status, cycles=tuple(done), started=header.started, context=header.context)


def _read(folder: Path) -> _File:
    from pydantic import TypeAdapter, ValidationError

    path = folder / NAME
    try:
        found = TypeAdapter(_File).validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RunError(_missing(folder)) from error
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = "".join(f"{part}." for part in first["loc"])[:-1]
        what = f"{place}: {first['msg']}" if place else first["msg"]
        raise RunError(
            f"{path}: cannot be read: {what}. Run the spec again: it writes the file again and trains nothing "
            "that is finished"
        ) from error
    for cell in found.run.cells:
        if not _lies_within(folder / "cells", cell):
            raise RunError(f"{path}: the cell {cell.name!r} is outside the run directory")
    return replace(found, run=replace(found.run, folder=folder))


def _read_if_sound(folder: Path) -> _File | None:
    try:
        return _read(folder)
    except RunError:
        return None


def _write(plan: Plan, ended: Mapping[str, _End]) -> None:
    from pydantic import TypeAdapter

    text = TypeAdapter(_File).dump_json(_File(run=plan, ended=ended), indent=1)
    write(plan.folder / NAME, text + b"\n")


def _ends(outcomes: Iterable[Outcome]) -> dict[str, _End]:
    return {
        outcome.cell.folder: _End(status=outcome.status, error=outcome.error)
        for outcome in outcomes
        if outcome.status not in ("ok", "pending")
    }


def _other_ends(found: _File | None, cells: Iterable[Cell]) -> dict[str, _End]:
    """How cells ended, other than these."""
    forgotten = {cell.folder for cell in cells}
    return {cell: end for cell, end in found.ended.items() if cell not in forgotten} if found else {}


def _lies_within(folder: Path, cell: Cell) -> bool:
    try:
        return (folder / cell.folder).resolve().parent == folder.resolve()
    except (ValueError, OSError, RuntimeError):  # no path at all, or links that lead in a circle
        return False


def _missing(folder: Path) -> str:
    if not folder.is_dir():
        return f"{folder}: there is no such folder; name a run directory, such as runs/<name>-<hash>"
    if (folder / "cells").is_dir():
        return (
            f"{folder}: has no {NAME}, since an earlier version made it. Run its spec again: it writes the file "
            "and trains nothing that is finished"
        )
    inside = sorted(path.parent for path in folder.glob(f"*/{NAME}"))
    some = [*map(str, inside[:3]), *([f"{len(inside) - 3} more"] if len(inside) > 3 else [])]
    near = f"; in it are: {', '.join(some)}" if inside else ""
    return f"{folder}: is no run directory{near}"
