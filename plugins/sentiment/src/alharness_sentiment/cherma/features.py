"""The features of an utterance: one .npy file a modality, (t, d) with t as long as the utterance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness import DataError
from alharness.api.importing import read_header

from .facts import FILES, UPSTREAM_SPLITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .index import Utterance

BLOCK = 2**25
"""Bytes of an array that are filled at a time."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the headers of a modality's files say.

    Attributes:
        features: numbers per step, the same in all files.
        steps: split -> (n,) steps of each file.
    """

    features: int
    steps: Mapping[str, NDArray[np.int64]]

    @property
    def longest(self) -> int:
        """Steps of the longest file."""
        return int(max(steps.max() for steps in self.steps.values()))


def measure(
    root: Path, modality: str, splits: Mapping[str, Sequence[Utterance]], advance: Callable[[int], None]
) -> Measured:
    """Look at the headers of all files of a modality.

    Raises:
        DataError: a file is missing or is no array (steps, features) of numbers, or has other features than the
            first; it is named.
    """
    features = 0
    first = root
    steps = {}
    for split, utterances in splits.items():
        counts = []
        for utterance in utterances:
            path = file_of(root, modality, split, utterance)
            count, size = _look(path)
            if not features:
                features, first = size, path
            if size != features:
                raise DataError(f"{path}: has {size} features a step, but {first} has {features}")
            counts.append(count)
            advance(1)
        steps[split] = np.array(counts, np.int64)
    return Measured(features=features, steps=steps)


def padded(
    root: Path, modality: str, split: str, utterances: Sequence[Utterance], shape: tuple[int, int]
) -> Iterator[NDArray[Any]]:
    """Blocks (rows, t, d) of an array: each file cut to t steps, or filled up with zeros."""
    rows = max(1, BLOCK // (shape[0] * shape[1] * 4))
    for start in range(0, len(utterances), rows):
        chosen = utterances[start : start + rows]
        block = np.zeros((len(chosen), *shape), np.float32)
        for row, utterance in enumerate(chosen):
            path = file_of(root, modality, split, utterance)
            try:
                values = np.load(path, allow_pickle=False)[: shape[0]]
                with np.errstate(over="ignore"):
                    block[row, : len(values)] = values
            except OSError as error:
                raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
            except ValueError:
                raise DataError(f"{path}: is not a whole .npy file; get it again") from None
        yield block


def file_of(root: Path, modality: str, split: str, utterance: Utterance) -> Path:
    """The file with the features of an utterance."""
    return root / FILES[modality].format(split=UPSTREAM_SPLITS[split], name=utterance.name)


def _look(path: Path) -> tuple[int, int]:
    """Steps and features of a file."""
    try:
        (shape, dtype), size = read_header(path), path.stat().st_size
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise DataError(f"{path}: is not a .npy file; get it again") from None
    if len(shape) != 2 or shape[1] == 0 or dtype.kind not in "fiu":
        raise DataError(f"{path}: holds {dtype} of shape {shape}, expected numbers of shape (steps, features)")
    if math.prod(shape) * dtype.itemsize > size:
        raise DataError(f"{path}: is not a whole .npy file; get it again")
    return shape[0], shape[1]
