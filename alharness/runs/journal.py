"""The journal of a cell: the only source of truth, one line per finished cycle.

A line is JSON. Everything in it is the same whenever the same cell runs again, except what stands under
`measured`: times, peaks, and the checksum over the line. The list of chosen ids is the checkpoint: every cycle
trains from scratch and samplers keep no state, so the labeled set and the seed fix all that follows.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from alharness.errors import RunError
from alharness.records import CycleRecord

from .directory import write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FORMAT = 1
NAME = "journal.jsonl"


@dataclass(frozen=True, kw_only=True)
class Header:
    """First line of a journal.

    Attributes:
        context: all that a cell's numbers depend on; a journal is only continued where it is equal.
        started: when the cell began, milliseconds since the epoch.
    """

    context: Mapping[str, Any]
    started: int


class Journal:
    """The journal of one cell, opened for appending.

    Raises:
        RunError: it was written in another context, or is damaged other than by a torn last line.
    """

    def __init__(self, folder: Path, context: Mapping[str, Any], now: int) -> None:
        self._path = folder / NAME
        folder.mkdir(parents=True, exist_ok=True)
        self.torn = False
        if self._path.exists():
            self.torn = _cut_torn_tail(self._path)
        if found := read(self._path):
            self.header, self.cycles = found
            _require_equal(self._path, self.header.context, context)
        else:
            self.header, self.cycles = Header(context=context, started=now), []
            _append(self._path, {"format": FORMAT, "context": context}, {"at": now})

    def append(self, record: CycleRecord) -> None:
        """Write a finished cycle; returns when it is on disk."""
        _append(self._path, *_split(record))
        self.cycles.append(record)

    def replace(self, cycles: Sequence[CycleRecord]) -> None:
        """Write all cycles anew, at once: the same ones, measured again."""
        lines = [_line({"format": FORMAT, "context": self.header.context}, {"at": self.header.started})]
        lines += [_line(*_split(record)) for record in cycles]
        write(self._path, "".join(lines))
        sync_folder(self._path.parent)
        self.cycles = list(cycles)


def read(path: Path) -> tuple[Header, list[CycleRecord]] | None:
    """Header and cycles of a journal; None where nothing was written yet. A torn last line is passed over.

    Raises:
        RunError: a line other than the last is damaged, or the format is not ours.
    """
    if not path.exists():
        return None
    lines = _whole_lines(path)
    if not lines:
        return None
    head, *rest = (_parse(path, number, line) for number, line in enumerate(lines, 1))
    if head.get("format") != FORMAT:
        raise RunError(f"{path}:1: journal format {head.get('format')!r}, but this version reads {FORMAT}")
    header = Header(context=head["context"], started=head["measured"]["at"])
    cycles = []
    for number, line in enumerate(rest):
        measured = line.pop("measured")
        line["chosen"], line["scores"] = tuple(line["chosen"]), tuple(line["scores"])
        record = CycleRecord(**line, **measured)
        if record.cycle != number:
            raise RunError(f"{path}:{number + 2}: expected cycle {number}, found cycle {record.cycle}")
        cycles.append(record)
    return header, cycles


def set_aside(folder: Path) -> Path | None:
    """Rename a cell's journal so that the cell begins anew; returns the new name. Nothing is deleted."""
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


def _line(fields: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    line = json.dumps({**fields, "measured": measured}, ensure_ascii=False)
    return f"{line[:-2]}, {json.dumps('sha256')}: {json.dumps(_checksum(line))}}}}}\n"


def _append(path: Path, fields: Mapping[str, Any], measured: Mapping[str, Any]) -> None:
    new = not path.exists()
    with path.open("ab") as file:
        file.write(_line(fields, measured).encode())
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync_folder(path.parent)


def _parse(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
        claimed = data["measured"].pop("sha256")
        intact = claimed == _checksum(json.dumps(data, ensure_ascii=False))
    except (ValueError, KeyError, TypeError, AttributeError):
        intact = False
    if not intact:
        raise RunError(
            f"{path}:{number}: this line is damaged (its checksum does not fit), so the cell cannot be continued. "
            "Run again with --restart to begin the cell anew (the journal is kept under another name)"
        )
    result: dict[str, Any] = data
    return result


def _checksum(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()[:16]


def _whole_lines(path: Path) -> list[bytes]:
    """The lines up to the last one that is whole."""
    lines = path.read_bytes().split(b"\n")
    lines.pop()  # what follows the last newline: nothing, or a line that was being written
    if lines and not _is_whole(lines[-1]):
        lines.pop()
    return lines


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _cut_torn_tail(path: Path) -> bool:
    """Cut a last line that a crash left half-written; True where there was one."""
    size = sum(len(line) + 1 for line in _whole_lines(path))
    torn = size < path.stat().st_size
    if torn:
        with path.open("r+b") as file:
            file.truncate(size)
            os.fsync(file.fileno())
    return torn


def _require_equal(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    plain = json.loads(json.dumps(new))
    differing = sorted(key for key in {*old, *plain} if old.get(key) != plain.get(key))
    if differing:
        changes = "; ".join(f"{key} was {old.get(key)!r} and is {plain.get(key)!r}" for key in differing)
        raise RunError(
            f"{path}: the cell was begun under other conditions and cannot be continued under these: {changes}. "
            "Restore them, or run again with --restart to begin the cell anew (the journal is kept)"
        )


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
