"""`cherma` as a plugin. No heavy imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from alharness import DataError, Params
from alharness_sentiment.stored.plugin import StoredDataset

from .facts import PUBLISHED

if TYPE_CHECKING:
    from pathlib import Path


class ImportOptions(Params):
    """Parameters of the import: how many steps of a sequence are kept; fewer if the longest has fewer."""

    text_steps: int = Field(80, ge=1, le=100_000)
    """Tokens of a text."""
    audio_steps: int = Field(100, ge=1, le=100_000)
    """Steps of the audio; utterances may be many times as long."""
    vision_steps: int = Field(64, ge=1, le=100_000)
    """Frames."""

    def steps(self, modality: str) -> int:
        """The most steps of this modality."""
        return {"text": self.text_steps, "audio": self.audio_steps, "vision": self.vision_steps}[modality]


def _fetch(source: Path | None, folder: Path, options: ImportOptions) -> list[str]:
    from .importer import convert

    if source is None:
        raise DataError(
            f"cherma cannot be downloaded by alharness: get {PUBLISHED.source}, {PUBLISHED.where}; then name the "
            "folder"
        )
    return convert(source, folder, options)


CHERMA = StoredDataset(published=PUBLISHED, fetch=_fetch, options=ImportOptions)
