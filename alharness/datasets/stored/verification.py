"""Every byte of a stored data set against its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .checksum import check_listed
from .manifest import advise, read_manifest
from .progress import progress

if TYPE_CHECKING:
    from pathlib import Path


def verify(folder: Path, dataset: str) -> list[str]:
    """Read all files; lines that say how many there were. Raises DataError for the first that is damaged."""
    manifest = read_manifest(folder, dataset)
    advice = advise(folder, manifest)
    total = sum(listed.bytes for listed in manifest.files.values())
    with progress("verifying", total) as advance:
        for name, listed in manifest.files.items():
            check_listed(folder, name, listed, advice, advance)
    return [f"{folder}: all {len(manifest.files)} files ({total:,} bytes) are as they were written"]
