"""What is wrong with published features, put into made-up ones: infinities, NaN, and sequences without a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .streams import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIRTY, EMPTY = 0.02, 0.01
"""Shares of rows with bad values, and without a step."""
BAD = 0.1
"""Share of bad values in such a row."""


@dataclass(frozen=True, eq=False)
class Dirt:
    """What is wrong in the n rows of one modality and split; no row is both dirty and empty.

    Attributes:
        value: what replaces the value.
        dirty: (n,) which rows hold such values.
        empty: (n,) which rows have length 0.
    """

    value: float
    dirty: NDArray[np.bool_]
    empty: NDArray[np.bool_]

    @property
    def rows(self) -> NDArray[np.int64]:
        """Positions of the rows in which something is wrong."""
        return np.flatnonzero(self.dirty | self.empty)

    def spoil(self, row: int, steps: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Put into the (length, d) valid steps of a row what is wrong with it."""
        if self.empty[row]:
            steps[:] = 0
        elif self.dirty[row]:
            steps[rng.random(steps.shape) < BAD] = self.value


def draw_dirt(seed: int, name: str, modality: str, split: str, n: int, *, wanted: bool) -> Dirt:
    """Dirt as it is known from published files: minus infinity in audio, NaN in vision, none in text."""
    drawn = stream(seed, name, modality, split, "dirt").random(n)
    if not wanted or modality == "text":
        drawn = np.ones(n)
    value = -np.inf if modality == "audio" else np.nan
    return Dirt(value, drawn < DIRTY, (drawn >= DIRTY) & (drawn < DIRTY + EMPTY))
