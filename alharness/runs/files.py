"""Writing files so that a crash, a full disk or a link never costs what was there before."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from alharness import faults
from alharness.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPORARY = ".tmp-"
"""How the names of unfinished files and folders begin."""


def write(path: Path, content: str | bytes) -> None:
    """Write a whole file or nothing: a reader never sees half of it. A link is replaced, not followed."""
    temporary = path.with_name(f"{TEMPORARY}{path.name}-{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            for part in faults.torn("write", content.encode() if isinstance(content, str) else content):
                file.write(part)
                file.flush()
            os.fsync(file.fileno())
        faults.reach("rename")
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def append(path: Path, content: bytes, size: int) -> None:
    """Put something at the end of a file, all of it or nothing; returns when it is on disk.

    Args:
        path: the file; made if it is missing.
        content: what to add.
        size: how long the file must be before, in bytes.

    Raises:
        RunError: it is a link, or another process has written to it.
        OSError: the disk is full, or the like; the file is as it was.
    """
    new = not path.exists()
    with opened(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as descriptor:
        if os.fstat(descriptor).st_size != size:
            raise RunError(
                f"{path}: another process has written to it meanwhile, so this one stops; run again when the "
                "other has ended"
            )
        try:
            for part in faults.torn("append", content):
                rest = memoryview(part)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(descriptor, size)
            raise
    if new:
        sync_folder(path.parent)
    faults.reach("appended")


def cut(path: Path, size: int) -> None:
    """Shorten a file. Raises RunError if it is a link."""
    with opened(path, os.O_WRONLY) as descriptor:
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)


@contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    """Open a file to write to it, as a descriptor. Raises RunError if it is a link: its target may be anything."""
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except OSError:
        refuse_link(path)
        raise
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def refuse_link(path: Path) -> None:
    """Raise RunError if a path is a symbolic link."""
    if path.is_symlink():
        raise RunError(
            f"{path}: is a symbolic link, and nothing is written through it; move it away, or put a copy of its "
            "target in its place"
        )


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_full(error: OSError) -> bool:
    """Whether a disk, a quota or a limit on sizes of files leaves no room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def explain(error: OSError, path: Path) -> str:
    """One sentence on what could not be written, and what to do."""
    remedy = "make room and run again: nothing finished is lost" if is_full(error) else "run again once it can be"
    return f"{path}: cannot be written ({error.strerror or error}); {remedy}"
