"""Locks between processes: the kernel's if the file system has them, and leases that expire if it has not.

A lock of the kernel ends with its process, however that ends. Some network file systems have none. There a file
says who holds the lock, and its holder renews it; if it was not renewed for `LEASE` seconds, another process takes
it, also on another host. That process counts the seconds itself, so the clocks of hosts need not agree.
"""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

if TYPE_CHECKING:
    from collections.abc import Callable

LEASE = 60.0
"""Seconds without a renewal after which a lease is free. Holders renew three times as often."""

HELD = (errno.EWOULDBLOCK, errno.EACCES)
"""What the kernel answers when another process holds a lock."""


class Locks:
    """Makes the locks for files in a folder and below, of the kind that its file system can keep.

    Args:
        folder: it must exist; its file system is tried with a temporary file.

    Attributes:
        kernel: the file system has locks of the kernel.
    """

    def __init__(self, folder: Path) -> None:
        self.kernel = _kernel_locks(folder)

    def make(self, path: Path) -> filelock.BaseFileLock:
        """The lock of this path; both kinds are next to each other under different names."""
        if self.kernel:
            return filelock.FileLock(path, fallback_to_soft=False)
        return filelock.SoftFileLease(_lease(path), lease_duration=LEASE)

    def find(self, path: Path) -> filelock.BaseFileLock | None:
        """The lock that another process made for this path; None if this host cannot know whether it is held."""
        if _lease(path).exists():
            return filelock.SoftFileLease(_lease(path), lease_duration=LEASE)
        return self.make(path) if self.kernel or not path.exists() else None


def is_lost(lock: filelock.BaseFileLock) -> bool:
    """Whether another process took a lease because this one did not renew it, for example while it was halted."""
    return isinstance(lock, filelock.SoftFileLease) and lock.compromise is not None


def take(lock: filelock.BaseFileLock) -> bool:
    """Take a lock now if it is free, or if its holder is known to be dead. False also if its folder is gone."""
    with suppress(filelock.Timeout, FileNotFoundError):
        lock.acquire(blocking=False)
    return lock.is_locked


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock that it made for this path. Nothing is written, and nothing taken.

    A lease counts as held if it was renewed lately, by the clock of this host. What cannot be known counts, too.
    """
    lease = _lease(path)
    with suppress(FileNotFoundError):
        return time.time() - lease.stat().st_mtime < LEASE
    try:
        with path.open("rb") as file:  # closed at once, which gives a lock back that was free
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def take_when_expired(lock: filelock.BaseFileLock, waiting: Callable[[], None]) -> bool:
    """Watch a lease until it expires and take it, or until its holder renews it.

    Args:
        lock: held by another process. A lock of the kernel never expires.
        waiting: called before the wait.

    Returns:
        Whether the holder is gone: the lock was taken, or another process that watched it took and removed it.
    """
    if not isinstance(lock, filelock.SoftFileLease):
        return take(lock)
    waiting()
    first = _stamp(lock)

    def renewed() -> bool:
        seen = _stamp(lock)
        return seen != first and seen[0] == first[0]

    with suppress(filelock.Timeout, FileNotFoundError):
        lock.acquire(poll_interval=lock.lease_duration / 60, cancel_check=renewed)
    return lock.is_locked or not renewed()


def _kernel_locks(folder: Path) -> bool:
    """Try it: a lock must be granted, and must keep others out. Some file systems grant everything."""
    descriptor, name = tempfile.mkstemp(prefix=".tmp-lock-", dir=folder)
    try:
        other = os.open(name, os.O_RDWR | os.O_CLOEXEC)
        try:
            return _locks(descriptor) is None and _locks(other) in HELD
        finally:
            os.close(other)
    finally:
        os.close(descriptor)
        Path(name).unlink(missing_ok=True)


def _locks(descriptor: int) -> int | None:
    """Lock an open file; the number of the error, if any."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno
    return None


def _lease(path: Path) -> Path:
    return path.with_name(f"{path.name}.lease")


def _stamp(lock: filelock.BaseFileLock) -> tuple[int, int]:
    """What changes when a lease is taken, and what changes when it is renewed; zeros if there is none.

    Opening the file asks the server of a network file system.
    """
    try:
        with Path(lock.lock_file).open("rb") as file:
            found = os.fstat(file.fileno())
    except FileNotFoundError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns
