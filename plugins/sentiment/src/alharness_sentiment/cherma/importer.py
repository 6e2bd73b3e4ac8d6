"""From CHERMA's lists and feature files to a stored data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alharness import DataError, Task
from alharness_sentiment.modalities import MODALITIES
from alharness_sentiment.stored.importing import Cleaner, describe_import, progress
from alharness_sentiment.stored.manifest import POOLING, SPLITS
from alharness_sentiment.stored.writer import Writer

from .facts import CLASSES, PUBLISHED
from .features import measure, padded
from .index import read_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from .facts import ImportOptions


def convert(root: Path, folder: Path, options: ImportOptions) -> list[str]:
    """Write the utterances of the three lists into an empty folder.

    Args:
        root: holds train.json, dev.json, test.json and the folders text, audio and visual.
        folder: becomes the data set.
        options: how many steps are kept.

    Returns:
        Lines to show: sizes, repairs, remarks.

    Raises:
        DataError: something is missing, malformed, or leads out of the root.
    """
    if not root.is_dir():
        raise DataError(f"{root}: is no folder; name the one that holds train.json, dev.json and test.json")
    splits = read_index(root)
    total = sum(map(len, splits.values()))
    with progress("looking at the files", len(MODALITIES) * total) as advance:
        measured = {modality: measure(root, modality, splits, advance) for modality in MODALITIES}
    steps = {m: max(1, min(found.longest, options.steps(m))) for m, found in measured.items()}
    writer = Writer(folder)
    repairs = {}
    with progress("converting", len(MODALITIES) * total) as advance:
        for split in SPLITS:
            utterances = splits[split]
            writer.ids(split, [utterance.name for utterance in utterances])
            cleaners = {modality: Cleaner() for modality in MODALITIES}
            for modality, found in measured.items():
                shape = steps[modality], found.features
                writer.sequence(
                    split,
                    modality,
                    _cleaned(padded(root, modality, split, utterances, shape), cleaners[modality], advance),
                    shape=(len(utterances), *shape),
                    lengths=cleaners[modality].lengths(found.steps[split], shape[0]),
                    pooling=POOLING[modality],
                )
            repairs[split] = {modality: cleaner.repairs for modality, cleaner in cleaners.items()}
            labels = {m: np.array([u.unimodal[m] for u in utterances], np.int64) for m in MODALITIES}
            writer.labels(split, np.array([u.label for u in utterances], np.int64), labels)
    kept = ", ".join(f"{m} {steps[m]} of {found.longest}" for m, found in measured.items())
    manifest = writer.finish(
        modalities=MODALITIES,
        dataset=PUBLISHED.name,
        synthetic=False,
        task=Task.CLASSIFICATION,
        classes=tuple(CLASSES.values()),
        repairs=repairs,
        remarks=(f"steps kept of the longest sequence: {kept}",),
    )
    return describe_import(manifest, PUBLISHED)


def _cleaned(
    blocks: Iterator[NDArray[np.float32]], cleaner: Cleaner, advance: Callable[[int], None]
) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        yield cleaner.values(block)
        advance(len(block))
