"""What a run is and how its cells ended, as `run.json` in the run directory: all that journals do not hold.

With it a run can be read where neither its spec nor its plugins are at hand.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter, ValidationError

from alharness.api.records import Ended, Outcome, Plan, Status
from alharness.errors import RunError

from . import journal
from .files import write

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from alharness.api.records import Cell

    from .entries import Header

NAME = "run.json"


@dataclass(frozen=True, kw_only=True)
class Description:
    """Content of the file.

    Attributes:
        run: what the last `run` command was asked for.
        ended: folder of a cell -> how its last attempt ended, where it is not complete.
        format: of the file.
    """

    run: Plan
    ended: Mapping[str, Ended] = field(default_factory=dict)
    format: Literal[1] = 1


def save(run: Plan, records: Iterable[Outcome] = ()) -> None:
    """Write it into the run's folder, in the place of an older one."""
    _write(run, _ended(records))


def begin(run: Plan, cells: Collection[Cell]) -> None:
    """Write what this `run` command was asked for, in the place of what an earlier one was.

    Args:
        run: what was asked for.
        cells: those that it will work on: how they ended before is forgotten, and how others ended is kept.
    """
    _write(run, _other_ends(_load_if_sound(run.folder), cells))


def conclude(run: Plan, records: Collection[Outcome]) -> None:
    """Write how cells ended. A `run` command that began later, next to this one, keeps its place.

    Args:
        run: what was asked for.
        records: of the cells that this command worked on.
    """
    found = _load_if_sound(run.folder)
    kept = _other_ends(found, [record.cell for record in records])
    _write(found.run if found else run, {**kept, **_ended(records)})


def load(folder: Path) -> Description:
    """Read it; the run's folder is the one that it was found in, wherever that was moved.

    Raises:
        RunError: there is none, or it is not ours.
    """
    path = folder / NAME
    try:
        found = _adapter().validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RunError(_missing(folder)) from error
    except OSError as error:
        raise RunError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = "".join(f"{part}." for part in first["loc"])[:-1]
        what = f"{place}: {first['msg']}" if place else first["msg"]
        raise RunError(
            f"{path}: cannot be read: {what}. Run the spec again: it writes the file anew and trains nothing that "
            "is finished"
        ) from error
    for cell in found.run.cells:
        if not _lies_within(folder / "cells", cell):
            raise RunError(f"{path}: the cell {cell.name!r} lies outside of the run directory")
    return replace(found, run=replace(found.run, folder=folder))


def record_of(cell: Cell, folder: Path, labeled: Sequence[int]) -> tuple[Outcome, Header | None]:
    """The cell as its journal in this folder has it, and the journal's header.

    A journal that is damaged is a failed cell, with what is wrong as its error.

    Args:
        cell: which.
        folder: the cell's.
        labeled: labels at cycle 0, 1, ... to its end.
    """
    try:
        found = journal.read(folder / journal.NAME, labeled)
    except RunError as error:
        return Outcome(cell=cell, status="failed", error=str(error)), None
    if found is None:
        return Outcome(cell=cell, status="pending"), None
    header, done = found
    status: Status = "ok" if len(done) == len(labeled) else "pending"
    record = Outcome(cell=cell, status=status, cycles=tuple(done), started=header.started, context=header.context)
    return record, header


def _write(run: Plan, ended: Mapping[str, Ended]) -> None:
    text = _adapter().dump_json(Description(run=run, ended=ended), indent=1)
    write(run.folder / NAME, text + b"\n")


def _ended(records: Iterable[Outcome]) -> dict[str, Ended]:
    return {
        record.cell.folder: Ended(status=record.status, error=record.error)
        for record in records
        if record.status not in ("ok", "pending")
    }


def _other_ends(found: Description | None, cells: Iterable[Cell]) -> dict[str, Ended]:
    """How cells ended, other than these."""
    forgotten = {cell.folder for cell in cells}
    return {cell: end for cell, end in found.ended.items() if cell not in forgotten} if found else {}


def _load_if_sound(folder: Path) -> Description | None:
    try:
        return load(folder)
    except RunError:
        return None


def _adapter() -> TypeAdapter[Description]:
    return TypeAdapter(Description)


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
