"""What can be chosen about the import of `cherma`."""

from __future__ import annotations

from pydantic import Field

from alharness import Params


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
