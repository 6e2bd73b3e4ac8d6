"""Sequences around the pooled vectors, block by block, each row from a stream of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from alharness.api.importing import pool
from alharness_sentiment.stored.importing import Cleaner
from alharness_sentiment.stored.manifest import POOLING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from alharness_sentiment.stored.manifest import Repairs

    from .generator import StandIn

MEMORY = 0.8
"""Correlation of the noise of one step with that of the step before, AR(1)."""
MEDIAN, SPREAD = 0.4, 0.5
"""Lengths are log-normal: their median as a share of the steps, and the standard deviation of their logarithm."""
DIRTY, EMPTY = 0.02, 0.01
"""Shares of rows with bad values, and without a step, in dirty sequences."""
BAD = 0.1
"""Share of bad values in such a row."""
BLOCK = 2**23
"""Values per block. What is generated does not depend on it."""


class Sequences:
    """The sequences of one modality in one split.

    The mean over the valid steps of a row is its pooled vector, up to float32 rounding; if the pooled
    vector is the first step, it is exactly that step. Dirty rows are the exception: their vector follows from the
    corrected sequence.
    """

    def __init__(self, standin: StandIn, split: str, modality: str) -> None:
        part, recipe = standin.parts[split], standin.recipe
        channel = recipe.design.channels[modality]
        self.pooling = POOLING[modality]
        self.shape = n, steps, _ = (len(part.population), channel.steps, channel.features)
        self._draw = partial(recipe.draw, modality, split)
        self._vectors = part.features[modality]
        self._scales = standin.scales[modality].astype(np.float32)
        drawn = MEDIAN * steps * np.exp(SPREAD * self._draw("lengths").standard_normal(n))
        self._drawn: NDArray[np.int64] = np.rint(drawn).clip(1, steps).astype(np.int64)
        # As in published files: minus infinity in audio, NaN in vision, nothing in text.
        self._bad = -np.inf if modality == "audio" else np.nan
        dirt = self._draw("dirt").random(n)
        if not recipe.settings.dirty or modality == "text":
            dirt = np.ones(n)
        self._dirty, self._empty = dirt < DIRTY, (dirt >= DIRTY) & (dirt < DIRTY + EMPTY)
        self._wrong = np.flatnonzero(self._dirty | self._empty)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) valid steps, at least 1."""
        return np.where(self._empty, 1, self._drawn)

    def vectors(self) -> NDArray[np.float32]:
        """(n, d) pooled vectors."""
        rows = self._wrong
        if len(rows) == 0:
            return self._vectors
        vectors = self._vectors.copy()
        block, lengths = self.raw(rows)
        vectors[rows] = pool(Cleaner().values(block), np.maximum(lengths, 1), self.pooling)
        return vectors

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """(rows, t, d) blocks, following each other."""
        n, steps, features = self.shape
        size = max(1, BLOCK // (steps * features))
        for start in range(0, n, size):
            block, _ = self.raw(np.arange(start, min(n, start + size)))
            yield Cleaner().values(block) if len(self._wrong) else block

    def repairs(self) -> Repairs:
        """What was corrected."""
        cleaner = Cleaner()
        block, lengths = self.raw(self._wrong)
        cleaner.values(block)
        cleaner.lengths(lengths, self.shape[1])
        return cleaner.repairs

    def raw(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """These rows before any correction: (rows, t, d), and their lengths, which may be 0."""
        block = self._clean(rows)
        for position, row in enumerate(rows.tolist()):
            valid = block[position, : self._drawn[row]]
            if self._empty[row]:
                valid[:] = 0
            elif self._dirty[row]:
                valid[self._draw("dirty values", row).random(valid.shape) < BAD] = self._bad
        return block, np.where(self._empty, 0, self._drawn)[rows]

    def _clean(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        _, steps, features = self.shape
        block = np.zeros((len(rows), steps, features), np.float32)
        for position, row in enumerate(rows.tolist()):
            self._draw("steps", row).standard_normal(out=block[position, : self._drawn[row]], dtype=np.float32)
        fresh = np.float32(np.sqrt(1 - MEMORY**2))
        for step in range(1, steps):
            block[:, step] *= fresh
            block[:, step] += np.float32(MEMORY) * block[:, step - 1]
        for position, row in enumerate(rows.tolist()):
            length = self._drawn[row]
            valid, vector = block[position, :length], self._vectors[row]
            if self.pooling == "mean":
                valid -= valid.mean(axis=0, dtype=np.float64).astype(np.float32)
            valid *= self._scales
            valid += vector
            if self.pooling == "first":
                valid[0] = vector
            block[position, length:] = 0
        return block
