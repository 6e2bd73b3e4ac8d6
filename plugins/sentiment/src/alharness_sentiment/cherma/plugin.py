"""`cherma` as a plugin. No heavy imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness_sentiment.stored.plugin import StoredDataset

from .facts import PUBLISHED, ImportOptions

if TYPE_CHECKING:
    from pathlib import Path


def _fetch(source: Path, folder: Path, options: ImportOptions) -> list[str]:
    from .importer import convert

    return convert(source, folder, options)


CHERMA = StoredDataset(published=PUBLISHED, fetch=_fetch, what="folder", options=ImportOptions)
