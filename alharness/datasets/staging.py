"""A folder that comes into being whole or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from alharness.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def staged(target: Path, *, replace: bool) -> Iterator[Path]:
    """An empty folder beside the target, renamed onto it when the block ends well and removed when it does not.

    Args:
        target: a folder that does not exist yet or is empty; missing parents are made.
        replace: put it in the place of an older one. The older one must hold no file that the new one lacks,
            so that a mistyped path never costs anything but what can be made again.

    Raises:
        DataError: the target exists already, or cannot be written.
    """
    try:
        _refuse(target, replace=replace)
        place = target.resolve()  # the target may be a link to another disk
        place.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(
            prefix=f".{place.name}-", dir=place.parent, ignore_cleanup_errors=True
        ) as temporary:
            # Not the temporary folder itself: that one is for its owner's eyes only, a data set need not be.
            new = Path(temporary, "new")
            new.mkdir()
            yield new
            if place.exists():
                _check_foreign(new, place, target)
                place.rename(Path(temporary, "old"))
            _put(new, place)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise DataError(f"{target}: cannot be made: {error.strerror or error}{where}") from error


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
        old = new.with_name("old")
        if old.exists():
            old.rename(place)
        raise
