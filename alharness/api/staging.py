"""A folder that comes into being whole or not at all."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from alharness.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = "owner"
"""File in a staging folder that its process keeps locked; it holds the name of the host."""

NEW = "new"
OLD = "old"


@contextmanager
def staged(target: Path, *, replace: bool) -> Iterator[Path]:
    """An empty folder next to the target, renamed onto it when the block ends well and removed when it does not.

    What processes that were killed left behind for the same target is removed first.

    Args:
        target: a folder that does not exist yet or is empty; missing parents are made.
        replace: put it in the place of an older one. The older one must hold no file that the new one lacks,
            so that a mistyped path never costs anything but what can be made again.

    Raises:
        DataError: the target exists already, or cannot be written.
    """
    try:
        place = target.resolve()  # the target may be a link to another disk
        _remove_leftovers(place)
        _refuse(target, replace=replace)
        place.parent.mkdir(parents=True, exist_ok=True)
        with (
            TemporaryDirectory(
                prefix=f".{place.name}-", dir=place.parent, ignore_cleanup_errors=True
            ) as temporary,
            _owned(Path(temporary)),
        ):
            # Not the temporary folder itself: that one is for its owner's eyes only, a data set need not be.
            new = Path(temporary, NEW)
            new.mkdir()
            yield new
            if place.exists():
                _check_foreign(new, place, target)
                place.rename(Path(temporary, OLD))
            _put(new, place)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise DataError(f"{target}: cannot be made: {error.strerror or error}{where}") from error


@contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Keep a lock in the folder while this process works in it; the system ends the lock with the process."""
    with (folder / OWNER).open("x") as file:
        with suppress(OSError):  # without locks, no process will take the folder for abandoned
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.write(os.uname().nodename)
            file.flush()
        yield


def _remove_leftovers(place: Path) -> None:
    """Remove staging folders whose process has ended; a folder stays if that is not certain."""
    # The end is that of TemporaryDirectory; without it the leftovers of `a-b` would be those of `a` as well.
    mine = re.compile(rf"\.{re.escape(place.name)}-[a-z0-9_]{{8}}")
    parent = place.parent
    for folder in [path for path in (parent.iterdir() if parent.is_dir() else ()) if mine.fullmatch(path.name)]:
        with suppress(OSError):
            file = os.open(folder / OWNER, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails as long as the owner lives
                if os.read(file, 1000).decode() == os.uname().nodename:
                    _bring_back(folder, place)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(file)


def _bring_back(folder: Path, place: Path) -> None:
    """An older data set that was moved away, and whose successor never came."""
    if (folder / OLD).exists() and not place.exists():
        (folder / OLD).rename(place)


def _refuse(target: Path, *, replace: bool) -> None:
    if target.exists() and not target.is_dir():
        raise DataError(f"{target}: is a file; name a new folder with --out")
    if not replace and target.is_dir() and any(target.iterdir()):
        raise DataError(f"{target}: exists already; replace it with --force, or name another folder with --out")


def _check_foreign(new: Path, place: Path, target: Path) -> None:
    made = {path.relative_to(new) for path in new.rglob("*")}
    foreign = sorted({path.relative_to(place) for path in place.rglob("*")} - made)
    if foreign:
        raise DataError(
            f"{target}: is not replaced, because it holds {str(foreign[0])!r}, which is no part of the data set; "
            "move that away, or name another folder with --out"
        )


def _put(new: Path, place: Path) -> None:
    try:
        new.rename(place)
    except OSError:
        old = new.with_name(OLD)
        if old.exists():
            old.rename(place)
        raise
