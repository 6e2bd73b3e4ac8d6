"""sha256 of files, one by one and of a whole data set."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from alharness import DataError

from .layout import MANIFEST
from .manifest import advise, read_manifest
from .progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .manifest import StoredFile

BLOCK = 4 * 2**20


def file_digest(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """The sha256 in hexadecimal; `advance` gets the number of bytes after each block."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            sha.update(block)
            advance(len(block))
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


def check_listed(folder: Path, name: str, listed: StoredFile, advice: str, advance: Callable[[int], None]) -> None:
    """Compare the whole of a listed file, however large. Raises DataError if it is damaged."""
    try:
        found = file_digest(folder / name, advance)
    except OSError as error:
        raise DataError(f"{folder / name}: cannot be read: {error.strerror}; {advice}") from None
    if found != listed.sha256:
        raise _damaged(folder, name, advice)


def verify(folder: Path, dataset: str) -> list[str]:
    """Read all files; lines that say how many there were. Raises DataError for the first that is damaged."""
    manifest = read_manifest(folder, dataset)
    advice = advise(folder, manifest)
    total = sum(listed.bytes for listed in manifest.files.values())
    with progress("verifying", total) as advance:
        for name, listed in manifest.files.items():
            check_listed(folder, name, listed, advice, advance)
    return [f"{folder}: all {len(manifest.files)} files ({total:,} bytes) are as they were written"]


def _damaged(folder: Path, name: str, advice: str) -> DataError:
    return DataError(f"{folder / name}: damaged (its sha256 is not the one in {MANIFEST}); {advice}")
