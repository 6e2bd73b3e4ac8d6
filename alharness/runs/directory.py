"""The run directory: its layout, and who works on which of its cells."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import filelock

from alharness.errors import RunError, SpecError
from alharness.runs import locks

from .files import TEMPORARY, explain, is_full, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from alharness.api.records import Cell

OUTPUT = "output.txt"
OLD = (".journal.jsonl-*", ".run.json-*", ".spec.yaml-*", ".holder.json-*", ".traceback.txt-*")
"""Unfinished files of earlier versions."""
PATIENCE = 60.0
"""Seconds to wait for another process that writes what all processes share: it takes milliseconds."""


class RunDirectory:
    """`<workdir>/<spec name>-<hash>`: spec.yaml, run.json, fits/, cells/<label>-s<seed>-<key>/, and pictures.

    While a process works in it, processes/<pid>-<token>/ says who it is and on which cells it works, and holds
    what it shares with its workers. A lock in that folder shows whether the process is alive.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stay: _Stay | None = None

    @property
    def fits(self) -> Path:
        """Stored fits."""
        return self.path / "fits"

    @property
    def processes(self) -> Path:
        """A folder for each process that works here."""
        return self.path / "processes"

    def cell(self, cell: Cell) -> Path:
        """The folder of a cell."""
        return self.path / "cells" / cell.folder

    def output(self, cell: Cell | None = None) -> Path:
        """What plugins print while a cell is computed, and what they print before any cell or for several."""
        return (self.cell(cell) if cell else self.path) / OUTPUT

    @contextmanager
    def entered(self, warn: Callable[[str], None]) -> Iterator[None]:
        """Work in the directory. What killed processes left is removed if no other process works here.

        Args:
            warn: called with what the user should know about locks.

        Raises:
            SpecError: it cannot be written to.
            RunError: the disk is full.
        """
        try:
            stay = self._enter(warn)
        except OSError as error:
            if is_full(error):
                raise RunError(explain(error, self.path)) from error
            raise SpecError(
                f"{self.path}: cannot be written to ({error.strerror or error}); choose another workdir"
            ) from error
        self._stay = stay
        try:
            yield
        finally:
            self._stay = None
            _leave(stay)

    def claim(self, cells: Iterable[Cell], *, alone: bool = False) -> None:
        """Reserve cells for this process until it leaves.

        A process that holds one of them on a file system without locks is watched until it is known to live or its
        lease expires.

        Args:
            cells: those that this process will work on.
            alone: no other process may work in the directory at all.

        Raises:
            SpecError: another process works on one of them, or a folder of one leads out of the directory.
        """
        stay = self._here()
        wanted = {cell.folder: cell.name for cell in cells}
        for folder in wanted:
            self._require_inside(self.path / "cells" / folder)
        watched: set[Path] = set()
        while True:
            with self.writing():
                found = self._rival(stay, wanted, alone=alone)
                if found is None:
                    _announce(stay, wanted)
                    return
            rival, who, taken = found
            if rival in watched:
                raise SpecError(self._refusal(rival, who, taken))
            watched.add(rival)
            _remove_if_expired(stay, rival, f"{self.path}: {taken[0]} is held by {who}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the files that processes share, for as long as it takes to write them.

        Raises:
            SpecError: another process holds them all the time.
            RunError: another process took over from this one, or something cannot be written.
        """
        try:
            with _held(self._here().writing, self.path):
                self.require_held()
                yield
        except OSError as error:
            raise RunError(explain(error, self.path)) from error

    @contextmanager
    def shared_samples(self) -> Iterator[Path]:
        """An empty folder for what this process and its workers share; removed in the end, or after a kill."""
        folder = self._here().folder / "samples"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def require_held(self) -> None:
        """Raise RunError if another process took over from this one, which had been halted for too long."""
        stay = self._here()
        if locks.is_lost(stay.alive) or not stay.folder.is_dir():
            raise RunError(
                f"{self.path}: this process was halted for so long that its lease expired, and another may have "
                "continued its cells; it stops. Run again to see what is left to do"
            )

    def crowded(self) -> bool:
        """Whether more than one process works in the directory on this host, so that they share its cores."""
        try:
            found = list(self.processes.iterdir())
        except FileNotFoundError:
            return False
        holders = map(_read_holder, found) if len(found) > 1 else ()
        return sum(who is None or who.host == socket.gethostname() for who in holders) > 1

    def _enter(self, warn: Callable[[str], None]) -> _Stay:
        self.path.mkdir(parents=True, exist_ok=True)
        self._require_inside(self.processes)
        kinds = locks.Locks(self.path)
        folder = self.processes / f"{os.getpid()}-{secrets.token_hex(4)}"
        stay = _Stay(
            folder=folder,
            kinds=kinds,
            alive=kinds.make(folder / "lock"),
            writing=kinds.make(self.path / "lock"),
            warn=warn,
        )
        if not kinds.kernel:
            warn(
                f"{self.path}: its file system cannot lock files, so leases are used: a cell whose process was "
                f"killed can be continued {locks.LEASE:.0f} seconds later, from any host"
            )
        try:
            with _held(stay.writing, self.path):
                self._remove_dead(stay)
                folder.mkdir(parents=True)
                stay.alive.acquire(blocking=False)
                _announce(stay, ())
        except BaseException:
            _leave(stay)
            raise
        return stay

    def _remove_dead(self, stay: _Stay) -> None:
        """Remove what dead processes left; while others live, only their folders."""
        living = False
        for other in self._others(stay):
            lock = stay.kinds.find(other / "lock")
            if lock and locks.take(lock):
                _remove(other, lock)
            else:
                living = True
        if not living:
            _remove_leftovers(self.path)

    def _others(self, stay: _Stay) -> list[Path]:
        try:
            return sorted(path for path in self.processes.iterdir() if path != stay.folder)
        except FileNotFoundError:
            return []

    def _rival(
        self, stay: _Stay, wanted: dict[str, str], *, alone: bool
    ) -> tuple[Path, _Holder | None, list[str]] | None:
        """A living process that holds cells that are wanted, and their names."""
        for other in self._others(stay):
            who = _read_holder(other)
            taken = [name for folder, name in wanted.items() if who is None or folder in who.cells]
            if not (taken or alone):
                continue
            lock = stay.kinds.find(other / "lock")
            if lock and locks.take(lock):
                _remove(other, lock)
            else:
                return other, who, taken or ["the directory"]
        return None

    def _refusal(self, rival: Path, who: _Holder | None, taken: list[str]) -> str:
        more = f" and {len(taken) - 1} more cells" if len(taken) > 2 else f" and {taken[-1]}" if taken[1:] else ""
        remedy = "wait for it, stop it, or run only other cells"
        if who is None or who.host != socket.gethostname():
            remedy += f". If it is surely dead, delete {rival}"
        return f"{self.path}: {taken[0]}{more}: in use by {who or 'another process'}; {remedy}"

    def _require_inside(self, folder: Path) -> None:
        """Raise SpecError if a folder leads out of the directory by a link: what is there is not ours."""
        try:
            inside = folder.resolve() == self.path.resolve() / folder.relative_to(self.path)
        except (OSError, RuntimeError):  # links that lead in a circle
            inside = False
        if not inside:
            raise SpecError(
                f"{folder}: leads out of the run directory by a symbolic link, and nothing is written there; put "
                "the folder itself in the place of the link"
            )

    def _here(self) -> _Stay:
        assert self._stay is not None, "the directory must be entered first"
        return self._stay


@dataclass(frozen=True, kw_only=True)
class _Stay:
    """A process in the directory.

    Attributes:
        folder: its own.
        kinds: makes locks.
        alive: held as long as it lives.
        writing: held while it writes what processes share.
        warn: shows a text to the user.
    """

    folder: Path
    kinds: locks.Locks
    alive: filelock.BaseFileLock
    writing: filelock.BaseFileLock
    warn: Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class _Holder:
    """Who works on which folders of cells."""

    pid: int
    host: str
    cells: tuple[str, ...]

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def _announce(stay: _Stay, wanted: Iterable[str]) -> None:
    holder = _Holder(pid=os.getpid(), host=socket.gethostname(), cells=tuple(wanted))
    write(stay.folder / "holder.json", json.dumps(asdict(holder)))


def _read_holder(folder: Path) -> _Holder | None:
    """Who works there; None if that cannot be read."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(_Holder).validate_json((folder / "holder.json").read_bytes())
    except (OSError, ValidationError):
        return None


def _remove_if_expired(stay: _Stay, rival: Path, held: str) -> None:
    lock = stay.kinds.find(rival / "lock")
    if lock and locks.take_when_expired(
        lock, lambda: stay.warn(f"{held}; waiting up to {locks.LEASE:.0f} seconds to see whether that still lives")
    ):
        _remove(rival, lock)


def _remove(folder: Path, lock: filelock.BaseFileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        lock.release()


@contextmanager
def _held(lock: filelock.BaseFileLock, place: Path) -> Iterator[None]:
    try:
        lock.acquire(timeout=PATIENCE + locks.LEASE)
    except filelock.Timeout as error:
        raise SpecError(
            f"{place}: another process has been writing to it for minutes; if there is none, delete "
            f"{lock.lock_file}"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _leave(stay: _Stay) -> None:
    """Remove the process's own folder, and the one of all processes if it was the last."""
    with suppress(OSError):
        stay.alive.release()
    shutil.rmtree(stay.folder, ignore_errors=True)
    if locks.take(stay.writing):  # so that no other process is making its folder there
        with suppress(OSError):
            stay.folder.parent.rmdir()
        stay.writing.release()


def _remove_leftovers(folder: Path) -> None:
    """Remove what killed processes left, if no other process works there. What cannot be removed stays."""
    for name in ("samples", "fit-locks"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "holder.json").unlink(missing_ok=True)
    for place in (folder, folder / "fits", *(folder / "cells").glob("*")):
        for pattern in (f"{TEMPORARY}*", *OLD):
            for path in place.glob(pattern):
                _remove_path(path)


def _remove_path(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
