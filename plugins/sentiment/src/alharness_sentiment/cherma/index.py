"""The lists of utterances: <root>/{train,dev,test}.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from alharness import DataError
from alharness.api.importing import shown, word

from .facts import CLASSES, FUSED_LABEL, LABELS, UPSTREAM_SPLITS

if TYPE_CHECKING:
    from pathlib import Path

NAME = "audio_file"
SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """One sample.

    Attributes:
        name: its audio file without `.wav`; the features of all modalities are named after it.
        label: index of its class.
        unimodal: modality -> index of the class that it has alone.
    """

    name: str
    label: int
    unimodal: dict[str, int]


def read_index(root: Path) -> dict[str, list[Utterance]]:
    """Split -> its utterances, sorted by name.

    Raises:
        DataError: a list is missing or malformed, a name leads out of the root, or one occurs twice.
    """
    splits = {split: _read(root / f"{upstream}.json") for split, upstream in UPSTREAM_SPLITS.items()}
    where: dict[str, str] = {}
    for split, utterances in splits.items():
        for utterance in utterances:
            if (other := where.setdefault(utterance.name, split)) != split:
                both = sorted({u.name for u in splits[other]} & {u.name for u in utterances})
                raise DataError(
                    f"{root}: {len(both):,} utterances are in {UPSTREAM_SPLITS[other]}.json and in "
                    f"{UPSTREAM_SPLITS[split]}.json, so that a test would be no test: "
                    f"{', '.join(word(name) for name in both[:SHOWN])}"
                )
    return splits


def _read(path: Path) -> list[Utterance]:
    try:
        entries = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror}; name the folder that holds "
            f"{', '.join(f'{name}.json' for name in UPSTREAM_SPLITS.values())}"
        ) from None
    except (ValueError, RecursionError):
        raise DataError(f"{path}: is not JSON; get it again") from None
    if not (isinstance(entries, list) and entries):
        raise DataError(f"{path}: expected a list of utterances, and at least one")
    utterances = [_utterance(f"{path}: entry {number}", entry) for number, entry in enumerate(entries, start=1)]
    names = [utterance.name for utterance in utterances]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{path}: the utterance {shown(twice)} occurs more than once")
    return sorted(utterances, key=lambda utterance: utterance.name)


def _utterance(place: str, entry: Any) -> Utterance:
    if not isinstance(entry, dict):
        raise DataError(f"{place} is no mapping")
    for key in (NAME, FUSED_LABEL, *LABELS.values()):
        if not isinstance(entry.get(key), str):
            raise DataError(f"{place} has no text under {key!r}")
    return Utterance(
        name=_inside(place, entry[NAME].removesuffix(".wav")),
        label=_class(place, FUSED_LABEL, entry),
        unimodal={modality: _class(place, key, entry) for modality, key in LABELS.items()},
    )


def _class(place: str, key: str, entry: dict[str, str]) -> int:
    if entry[key] not in CLASSES:
        raise DataError(f"{place}: {key} is {shown(entry[key], 40)}, expected one of {', '.join(CLASSES)}")
    return list(CLASSES).index(entry[key])


def _inside(place: str, name: str) -> str:
    """The name itself, if no file named after it can be outside the root."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise DataError(
            f"{place}: {NAME} is {shown(name, 80)}, a path that leads out of the data set; nothing was read"
        )
    return name
