"""Who works in a run directory, and on which of its cells."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Self

import filelock

from alharness.errors import RunError, SpecError

from . import locks
from .files import explain, is_full, write

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from alharness.api.records import Cell, Outcome, Status

    from .directory import RunDirectory

PATIENCE = 300.0
"""Seconds to wait for others that write what all processes share. It takes each of them milliseconds, but on a
network file system hundreds of them may begin at once."""
LIVING = 16
"""Living processes that are met before no more is looked for what dead ones left."""


ENDED = "ended.jsonl"
"""In the folder of a process: cells that ended without being complete, a line for each."""


class Claims:
    """This process at work in a run directory, in a `with` block, and the cells that no other may touch.

    processes/<pid>-<token>/ says who it is and on which cells it works, and holds what it shares with its workers.
    A lock in that folder shows whether the process is alive. What killed processes left is removed if no other
    process works in the directory.

    Args:
        directory: the run directory; made if it is missing.
        warn: called with what the user should know about locks.

    Attributes:
        directory: the run directory.

    Raises:
        SpecError: it cannot be written to.
        RunError: the disk is full.
    """

    def __init__(self, directory: RunDirectory, warn: Callable[[str], None]) -> None:
        self.directory, self._warn = directory, warn
        self._folder = directory.processes / f"{os.getpid()}-{secrets.token_hex(4)}"
        self._held: frozenset[str] = frozenset()  # folders of cells
        self._hosts: dict[Path, str] = {}  # of other processes

    def __enter__(self) -> Self:
        path = self.directory.path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self.directory.require_inside(self.directory.processes)
            self._locks = locks.Locks(path)
            self._alive, self._lock = self._locks.make(self._folder / "lock"), self._locks.make(path / "lock")
            self._begin()
        except OSError as error:
            if is_full(error):
                raise RunError(explain(error, path)) from error
            raise SpecError(
                f"{path}: cannot be written to ({error.strerror or error}); choose another workdir"
            ) from error
        return self

    def __exit__(self, *error: object) -> None:
        """Remove the process's own folder, and the one of all processes if it was the last."""
        with suppress(OSError):
            self._alive.release()
        shutil.rmtree(self._folder, ignore_errors=True)
        if locks.take(self._lock):  # so that no other process is making its folder there
            with suppress(OSError):
                self._folder.parent.rmdir()
            self._lock.release()

    def claim(self, cells: Collection[Cell], *, alone: bool = False) -> None:
        """Reserve cells for this process until it leaves.

        A process that holds one of them on a file system without locks is watched until it is known to live or its
        lease expires.

        Args:
            cells: those that this process will work on.
            alone: no other process may work in the directory at all.

        Raises:
            SpecError: another process works on one of them, or a folder of one leads out of the directory.
        """
        wanted = {cell.folder: cell.name for cell in cells}
        for cell in cells:
            self.directory.require_inside(self.directory.cell(cell))
        if self._held == wanted.keys() and not alone:
            return
        watched: set[Path] = set()
        while True:
            with self.writing():
                # What this process holds already, no other has claimed.
                more = {folder: name for folder, name in wanted.items() if folder not in self._held}
                rival = self._find_rival(more, alone=alone) if more or alone else None
                if rival is None:
                    self._announce(wanted)
                    return
            folder, who, taken = rival
            if folder in watched:
                raise SpecError(self._refusal(folder, who, taken))
            watched.add(folder)
            self._watch(folder, f"{self.directory.path}: {taken[0]} is held by {who}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the files that processes share, for as long as it takes to write them.

        Raises:
            SpecError: another process holds them all the time.
            RunError: another process took over from this one, or something cannot be written.
        """
        try:
            with self._sharing():
                self.require_held()
                yield
        except OSError as error:
            raise RunError(explain(error, self.directory.path)) from error

    @contextmanager
    def shared_samples(self) -> Iterator[Path]:
        """An empty folder for what this process and its workers share; removed in the end, or after a kill."""
        folder = self._folder / "samples"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def require_held(self) -> None:
        """Raise RunError if another process took over from this one, which had been halted for too long.

        Or if the directory was moved or deleted meanwhile.
        """
        gone = not self._folder.is_dir()
        if gone and self._locks.kernel:  # no process deletes what another locks
            raise RunError(
                f"{self._folder}: was moved or deleted while this process worked there; it stops. Run again to "
                "continue what is left"
            )
        if gone or locks.is_lost(self._alive):
            raise RunError(
                f"{self.directory.path}: this process was halted for so long that its lease expired, and another "
                "may have continued its cells; it stops. Run again to see what is left to do"
            )

    def note_end(self, outcome: Outcome) -> None:
        """Let others see how a cell ended that is not complete, while this process still works on others."""
        end = {"cell": outcome.cell.folder, "status": outcome.status, "error": outcome.error}
        with suppress(OSError), (self._folder / ENDED).open("a") as file:  # it is also written in the end
            file.write(f"{json.dumps(end)}\n")

    def crowded(self) -> bool:
        """Whether another process works in the directory on this host, so that they share its cores."""
        here = socket.gethostname()
        for other in (others := self._others()):
            if other not in self._hosts and (who := _read_holder(other)):
                self._hosts[other] = who.host  # read once: this is asked in every cycle
        return any(self._hosts.get(other, here) == here for other in others)

    def _begin(self) -> None:
        if not self._locks.kernel:
            self._warn(
                f"{self.directory.path}: its file system cannot lock files, so leases are used: a cell whose "
                f"process was killed can be continued {locks.LEASE:.0f} seconds later, from any host"
            )
        try:
            with self._sharing():
                living = (other for other in self._others() if not self._remove_if(locks.take, other))
                if not [*islice(living, LIVING)]:
                    self.directory.remove_unfinished()
                self._folder.mkdir(parents=True)
                self._alive.acquire(blocking=False)
                self._announce(())
        except BaseException:
            self.__exit__()
            raise

    @contextmanager
    def _sharing(self) -> Iterator[None]:
        try:
            self._lock.acquire(timeout=PATIENCE + locks.LEASE)
        except filelock.Timeout as error:
            raise SpecError(
                f"{self.directory.path}: another process has been writing to it for minutes; if there is none, "
                f"delete {self._lock.lock_file}"
            ) from error
        try:
            yield
        finally:
            self._lock.release()

    def _announce(self, wanted: Iterable[str]) -> None:
        self._held = frozenset(wanted)
        holder = Holder(pid=os.getpid(), host=socket.gethostname(), cells=tuple(wanted))
        write(self._folder / "holder.json", json.dumps(asdict(holder)))

    def _others(self) -> list[Path]:
        """The folders of other processes."""
        return sorted(path for path in self.directory.processes.glob("*") if path != self._folder)

    def _find_rival(self, wanted: dict[str, str], *, alone: bool) -> tuple[Path, Holder | None, list[str]] | None:
        """A living process that holds cells that are wanted, and their names."""
        for other in self._others():
            who = _read_holder(other)
            cells = () if who is None else frozenset(who.cells)
            taken = [name for folder, name in wanted.items() if who is None or folder in cells]
            if (taken or alone) and not self._remove_if(locks.take, other):
                return other, who, taken or ["the directory"]
        return None

    def _watch(self, rival: Path, held: str) -> None:
        def waiting() -> None:
            self._warn(f"{held}; waiting up to {locks.LEASE:.0f} seconds to see whether that still lives")

        self._remove_if(lambda lock: locks.take_when_expired(lock, waiting), rival)

    def _remove_if(self, taken: Callable[[filelock.BaseFileLock], bool], other: Path) -> bool:
        """Remove what a process left if its lock can be taken: then it is dead."""
        lock = self._locks.find(other / "lock")
        if lock is None or not taken(lock):
            return False
        shutil.rmtree(other, ignore_errors=True)
        with suppress(OSError):
            lock.release()
        return True

    def _refusal(self, rival: Path, who: Holder | None, taken: list[str]) -> str:
        more = f" and {len(taken) - 1} more cells" if len(taken) > 2 else f" and {taken[-1]}" if taken[1:] else ""
        remedy = "wait for it, stop it, or run only other cells"
        if who is None or who.host != socket.gethostname():
            remedy += f". If it is surely dead, delete {rival}"
        return f"{self.directory.path}: {taken[0]}{more}: in use by {who or 'another process'}; {remedy}"


def at_work(directory: RunDirectory) -> list[tuple[Path, Holder]]:
    """The living processes in a run directory, with their folders there. Only reads, and on any host."""
    found = ((folder, _read_holder(folder)) for folder in sorted(directory.processes.glob("*")))
    return [(folder, who) for folder, who in found if who and locks.is_held(folder / "lock")]


def ends_of(process: Path) -> dict[str, tuple[Status, str]]:
    """Folder of a cell -> how it ended in a living process, and why; of those that are not complete."""
    found = {}
    with suppress(OSError):
        for line in (process / ENDED).read_text().splitlines():
            with suppress(ValueError, KeyError, TypeError):  # a line that is being written
                end = json.loads(line)
                found[end["cell"]] = (end["status"], end["error"])
    return found


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who works on which folders of cells."""

    pid: int
    host: str
    cells: tuple[str, ...]

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def _read_holder(folder: Path) -> Holder | None:
    """Who works there; None if that cannot be read."""
    with suppress(OSError, ValueError, RecursionError):
        match json.loads((folder / "holder.json").read_bytes()):
            case {"pid": int(pid), "host": str(host), "cells": list(cells)}:
                return Holder(pid=pid, host=host, cells=tuple(map(str, cells)))
    return None
