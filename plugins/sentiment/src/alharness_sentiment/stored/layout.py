"""Names in the folder of a stored data set; `<split>/<name>` for each split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from alharness.api.importing import Pooling

MANIFEST = "manifest.json"
"""Written last: a folder without it is no data set."""

FORMAT: Final = 1
"""Version of the format; another one is refused."""

SPLITS = ("train", "valid", "test")

POOLING: dict[str, Pooling] = {"text": "first", "audio": "mean", "vision": "mean"}
"""How the data sets of this field make vectors of their sequences; the first step of a text is its CLS token."""

IDS = "ids.json"
LABELS = "labels.npy"


def sequence_file(split: str, modality: str) -> str:
    """The sequences, (n, t, d) float32."""
    return f"{split}/{modality}.npy"


def pooled_file(split: str, modality: str) -> str:
    """One vector per sequence, (n, d) float32."""
    return f"{split}/{modality}.pooled.npy"


def lengths_file(split: str, modality: str) -> str:
    """Valid steps per sequence, (n,) int64; without it every sequence is full."""
    return f"{split}/{modality}.lengths.npy"


def unimodal_labels_file(split: str, modality: str) -> str:
    """Labels of one modality alone, (n,)."""
    return f"{split}/labels.{modality}.npy"
