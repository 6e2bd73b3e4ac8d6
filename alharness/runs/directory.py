"""The run directory: its layout, and the lock that lets one process work in it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from alharness.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alharness.cells import Cell


class RunDirectory:
    """`<workdir>/<spec name>-<hash>`: spec.yaml, fits/, cells/<label>-s<seed>-<key>/, and pictures.

    While several processes work in it, samples/ holds what they share.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def fits(self) -> Path:
        """Stored fits."""
        return self.path / "fits"

    def cell(self, cell: Cell) -> Path:
        """The folder of a cell."""
        return self.path / "cells" / cell.folder

    @contextmanager
    def shared_samples(self) -> Iterator[Path]:
        """An empty folder for what processes share; removed in the end, or by the next run after a kill."""
        folder = self.path / "samples"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory.

        The lock is the kernel's and ends with the process, however it ends: there is nothing to unlock.

        Raises:
            SpecError: it cannot be written to, or another process holds it.
        """
        holder = self.path / "holder.json"
        lock = filelock.FileLock(self.path / "lock", blocking=False)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire()
            write(holder, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        except filelock.Timeout as error:
            raise SpecError(f"{self.path}: in use by {_describe(holder)}; wait for it, or stop it") from error
        except OSError as error:
            lock.release()
            raise SpecError(
                f"{self.path}: cannot be written to ({error.strerror or error}); choose another --workdir"
            ) from error
        try:
            yield
        finally:
            lock.release()


def write(path: Path, text: str) -> None:
    """Write a whole file or nothing: a reader never sees half of it."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _describe(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text())
        return f"process {who['pid']} on {who['host']}"
    except (OSError, ValueError, KeyError):
        return "another process"
