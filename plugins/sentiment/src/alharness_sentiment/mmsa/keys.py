"""Under which names files of this family hold their splits and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alharness.api.importing import word
from alharness_sentiment.stored.manifest import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SPLIT_NAMES = {"valid": ("dev", "val", "validation")}
"""Split -> other names for it, of which the first that is there counts."""

COLUMN_NAMES = {
    "id": ("ids",),
    "text": ("feature_T",),
    "audio": ("feature_A",),
    "vision": ("feature_V", "visual"),
    "regression_labels": ("labels", "label_M"),
    "regression_labels_T": ("label_T",),
    "regression_labels_A": ("label_A",),
    "regression_labels_V": ("label_V",),
}
"""Column -> other names for it, as older files and forks of these projects have them."""

LISTED = 20


def find_splits(loaded: Mapping[Any, Any]) -> dict[str, Any]:
    """Split -> the key of the file that holds it; without an entry there is none."""
    return _find(loaded, {split: SPLIT_NAMES.get(split, ()) for split in SPLITS})


def find_columns(content: Mapping[Any, Any], columns: Iterable[str]) -> dict[str, Any]:
    """Column -> the key of a split that holds it; without an entry there is none."""
    return _find(content, {column: COLUMN_NAMES.get(column, ()) for column in columns})


def list_keys(content: Mapping[Any, Any]) -> str:
    """The keys of a mapping, for a message."""
    return ", ".join(word(key, 40) for key in list(content)[:LISTED]) or "nothing"


def _has(content: Mapping[Any, Any], key: str) -> bool:
    """Whether there is a value; None and an empty list say that there is none."""
    value = content.get(key)
    return not (value is None or (isinstance(value, list | tuple) and not value))


def _find(content: Mapping[Any, Any], names: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    found = {name: [own for own in (name, *others) if _has(content, own)] for name, others in names.items()}
    return {name: keys[0] for name, keys in found.items() if keys}
