"""sha256 of files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from alharness.errors import DataError

from .layout import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .manifest import StoredFile

BLOCK = 4 * 2**20


def file_digest(path: Path, progress: Callable[[int], None] = lambda _: None) -> str:
    """The sha256 in hexadecimal; `progress` gets the number of bytes after each block."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            sha.update(block)
            progress(len(block))
    return sha.hexdigest()


def read_listed(folder: Path, name: str, listed: StoredFile, advice: str) -> bytes:
    """Content of a listed file. Raises DataError if it is not what the manifest says."""
    path = folder / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; {advice}") from None
    if hashlib.sha256(content).hexdigest() != listed.sha256:
        raise _damaged(folder, name, advice)
    return content


def check_listed(
    folder: Path, name: str, listed: StoredFile, advice: str, progress: Callable[[int], None]
) -> None:
    """Compare the whole of a listed file, however large. Raises DataError if it is damaged."""
    try:
        found = file_digest(folder / name, progress)
    except OSError as error:
        raise DataError(f"{folder / name}: cannot be read: {error.strerror}; {advice}") from None
    if found != listed.sha256:
        raise _damaged(folder, name, advice)


def _damaged(folder: Path, name: str, advice: str) -> DataError:
    return DataError(f"{folder / name}: damaged (its sha256 is not the one in {MANIFEST}); {advice}")
