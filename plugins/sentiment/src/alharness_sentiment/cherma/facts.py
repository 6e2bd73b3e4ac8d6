"""CHERMA: source and terms, classes and files, and what can be chosen about its import. No heavy imports."""

from __future__ import annotations

from pydantic import Field

from alharness import Params
from alharness_sentiment.stored.plugin import Published

PUBLISHED = Published(
    name="cherma",
    summary="CHERMA: seven emotions of about 28,700 Chinese utterances; text, audio, vision, each with own labels",
    source="CHERMA0723",
    where="from the link in the README of github.com/sunjunaimer/LFMIM: Baidu 10PoJcXMDhRg4fzsq96A7rQ (code CHER)",
    terms="none stated; take it as for academic research only, cite the paper, never redistribute",
    citation="J. Sun, S. Han, Y.-P. Ruan et al.: Layer-wise Fusion with Modality Independence Modeling for "
    "Multi-modal Emotion Recognition. ACL 2023. DOI 10.18653/v1/2023.acl-long.39",
    metrics="emotions",
)

CLASSES = {
    "愤怒": "anger",
    "厌恶": "disgust",
    "恐惧": "fear",
    "高兴": "happy",
    "平静": "neutral",
    "悲伤": "sad",
    "惊奇": "surprise",
}
"""Label in the files -> name of the class; the order is that of the class indices."""

UPSTREAM_SPLITS = {"train": "train", "valid": "dev", "test": "test"}
"""Split -> its name in the files."""

FUSED_LABEL = "video_label"
LABELS = {"text": "txt_label", "audio": "audio_label", "vision": "visual_label"}
"""Modality -> the key of its own label."""

FILES = {
    "text": "text/{split}/{name}.npy",
    "audio": "audio/{split}/{name}.npy",
    "vision": "visual/{split}/{name}.mp4.npy",
}
"""Modality -> path of its features below the root."""


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
