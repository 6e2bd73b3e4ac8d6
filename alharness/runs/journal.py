"""The journal of a cell: the only source of truth, one line per finished cycle.

A line is JSON. Everything in it is the same whenever the same cell runs again, except what is under
`measured`: times, peaks, and the checksum over the line. The list of chosen ids is the checkpoint: every cycle
trains from scratch and samplers keep no state, so the labeled set and the seed fix all that follows.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from alharness.errors import RunError

from .conditions import changes
from .files import append, cut, explain, refuse_link, sync_folder, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from alharness.api.records import CycleRecord

NAME = "journal.jsonl"
KEY = "journal format"
"""In what cells depend on; a first line says it by itself."""
FORMAT = 2
"""Another number means other figures: those of 1 are of models trained one by one, with other random numbers."""
FORMATS = (1, FORMAT)
"""That can be read. Only the last one is written, and continued."""
REMEDY = "Run again with --restart to begin the cell again (the journal is kept under another name)"


@dataclass(frozen=True, kw_only=True)
class Header:
    """First line of a journal.

    Attributes:
        context: all that a cell's numbers depend on, the journal's format included. It must be equal for a journal
            to be continued.
        started: when the cell began, milliseconds since the epoch.
    """

    context: Mapping[str, Any]
    started: int


class Journal:
    """The journal of one cell, opened for appending.

    Args:
        folder: the cell's.
        context: all that the cell's numbers depend on.
        now: milliseconds since the epoch.
        labeled: labels at cycle 0, 1, ... to the cell's end, if they are known.

    Raises:
        RunError: it was written in another context, is damaged other than by a torn last line, holds what cannot
            be, is a link, or cannot be written to.
    """

    def __init__(
        self, folder: Path, context: Mapping[str, Any], now: int, labeled: Sequence[int] | None = None
    ) -> None:
        self.path = folder / NAME
        refuse_link(self.path)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(explain(error, folder)) from error
        context = with_format(context)
        content = _content(self.path) or b""
        lines = _whole_lines(content)
        self._size = sum(len(line) + 1 for line in lines)
        self.torn = self._size < len(content)
        if self.torn:
            cut(self.path, self._size)
        if found := _parse_all(self.path, lines, labeled, named=True):
            self.header, self.cycles = found
            _require_equal(self.path, self.header.context, context)
        else:
            self.header, self.cycles = Header(context=context, started=now), []
            self._append(_first_line(self.header))

    def append(self, record: CycleRecord) -> None:
        """Write a finished cycle; returns when it is on disk. Raises RunError if it cannot be written."""
        self._append(_line(*_split(record)))
        self.cycles.append(record)

    def replace(self, cycles: Sequence[CycleRecord]) -> None:
        """Write all cycles again, at once: the same ones, measured again. Raises RunError if it cannot be."""
        lines = [_first_line(self.header), *(_line(*_split(record)) for record in cycles)]
        content = "".join(lines).encode()
        try:
            write(self.path, content)
            sync_folder(self.path.parent)
        except OSError as error:
            raise RunError(explain(error, self.path)) from error
        self._size = len(content)
        self.cycles = list(cycles)

    def impossible(self, cycle: int, what: str) -> RunError:
        """The error that says what is wrong with the line of a cycle."""
        return _impossible(self.path, cycle + 2, what)

    def _append(self, line: str) -> None:
        content = line.encode()
        try:
            append(self.path, content, self._size)
        except OSError as error:
            raise RunError(explain(error, self.path)) from error
        self._size += len(content)


def read(path: Path, labeled: Sequence[int] | None = None) -> tuple[Header, list[CycleRecord]] | None:
    """Header and cycles of a journal; None if nothing was written yet. A torn last line is passed over.

    Args:
        path: the journal.
        labeled: labels at cycle 0, 1, ... to the cell's end, if they are known.

    Raises:
        RunError: a line other than the last is damaged, holds what cannot be, or the format is not ours.
    """
    content = _content(path)
    return None if content is None else _parse_all(path, _whole_lines(content), labeled)


def with_format(context: Mapping[str, Any], number: int = FORMAT) -> dict[str, Any]:
    """What a cell's numbers depend on, the format of its journal included; by default that of new ones."""
    return {KEY: number, **context}


def set_aside(folder: Path) -> Path | None:
    """Rename a cell's journal so that the cell begins again; returns the new name. Nothing is deleted."""
    path = folder / NAME
    if not path.exists():
        return None
    number = 1
    while (aside := folder / f"{NAME}.old-{number}").exists():
        number += 1
    path.rename(aside)
    return aside


def _split(record: CycleRecord) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is the same whenever the cell runs, and what was measured."""
    fields = asdict(record)
    measured = {name: fields.pop(name) for name in ("cost", "at", "timing", "machine")}
    return fields, measured


def _first_line(header: Header) -> str:
    context = {name: value for name, value in header.context.items() if name != KEY}
    return _line({"format": header.context[KEY], "context": context}, {"at": header.started})


def _line(fields: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    line = json.dumps({**fields, "measured": measured}, ensure_ascii=False)
    return f"{line[:-2]}, {json.dumps('sha256')}: {json.dumps(_checksum(line))}}}}}\n"


def _parse_all(
    path: Path, lines: Sequence[bytes], labeled: Sequence[int] | None, *, named: bool = False
) -> tuple[Header, list[CycleRecord]] | None:
    if not lines:
        return None
    from . import entries  # with models of pydantic, which take longer to make than most commands to start

    head, *rest = (_parse(path, number, line) for number, line in enumerate(lines, 1))
    if head.get("format") not in FORMATS:
        known = " and ".join(map(str, FORMATS))
        raise RunError(f"{path}:1: journal format {head.get('format')!r}, but this version reads {known}")
    try:
        context, started = entries.header(head)
        return Header(context=with_format(context, head["format"]), started=started), entries.cycles(
            rest, labeled, named=named
        )
    except entries.Impossible as error:
        raise _impossible(path, error.line, str(error)) from error


def _parse(path: Path, number: int, line: bytes) -> dict[str, Any]:
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        data: dict[str, Any] = json.loads(line)
        if data["measured"].pop("sha256") == _checksum(json.dumps(data, ensure_ascii=False)):
            return data
    raise RunError(
        f"{path}:{number}: this line is damaged (its checksum does not fit), so the cell cannot be continued. "
        f"{REMEDY}"
    )


def _impossible(path: Path, number: int, what: str) -> RunError:
    return RunError(
        f"{path}:{number}: alharness never writes such a line: {what}. So the cell cannot be continued. {REMEDY}"
    )


def _checksum(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()[:16]


def _content(path: Path) -> bytes | None:
    """What a file holds; None if there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror or error})") from error


def _whole_lines(content: bytes) -> list[bytes]:
    """The lines up to the last one that is whole."""
    *lines, _ = content.split(b"\n")  # what follows the last newline is nothing, or a line that was being written
    if lines:
        try:
            json.loads(lines[-1])
        except (ValueError, RecursionError):
            lines.pop()
    return lines


def _require_equal(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    if found := [f"{place} {change}" for place, change in changes(old, json.loads(json.dumps(new)))]:
        raise RunError(
            f"{path}: the cell was begun under other conditions and cannot be continued under these: "
            f"{'; '.join(found)}. Restore them, or run again with --restart to begin the cell again (the journal "
            "is kept)"
        )
