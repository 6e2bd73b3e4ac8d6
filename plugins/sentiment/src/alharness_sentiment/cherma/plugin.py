"""`cherma` as a plugin. No heavy imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness import DataError
from alharness_sentiment.stored.plugin import StoredDataset

from .facts import PUBLISHED
from .params import ImportOptions

if TYPE_CHECKING:
    from pathlib import Path


def _fetch(source: Path | None, folder: Path, options: ImportOptions) -> list[str]:
    from .importer import convert

    if source is None:
        raise DataError(
            f"cherma cannot be downloaded by alharness: get {PUBLISHED.source}, {PUBLISHED.where}; then name the "
            "folder"
        )
    return convert(source, folder, options)


CHERMA = StoredDataset(published=PUBLISHED, fetch=_fetch, options=ImportOptions)
