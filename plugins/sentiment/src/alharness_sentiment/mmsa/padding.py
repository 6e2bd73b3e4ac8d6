"""On which side short sequences are filled up, and the same sequences with their steps in front.

A step that fills up is zero in all its numbers; NaN and infinite values have become 0 before. What a file says
about its lengths is taken from it; without lengths, they are what is left when the blank steps of the padded side
are cut off. A real step can be blank as well (no face was found, silence), so the side is decided by all short
sequences of a modality together, and only what one of them shows beyond doubt goes before that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]
    Steps = NDArray[np.int64]
    Flags = NDArray[np.bool_]

MINORITY = 0.1
"""Share of blank steps on the other side from which on a modality without lengths is padded on both."""


@dataclass(kw_only=True)
class Evidence:
    """What short sequences of a modality show about their side.

    Attributes:
        start: weight of what speaks for padding at the start: sequences, or without lengths their blank steps.
        end: the same for the end.
    """

    start: int = 0
    end: int = 0

    @property
    def at_start(self) -> bool:
        """Whether sequences that show nothing are taken to be padded at the start."""
        return self.start > self.end

    @property
    def mixed(self) -> bool:
        """Whether both sides are padded, in different sequences."""
        return min(self.start, self.end) > MINORITY * (self.start + self.end)

    def add(self, block: Array, lengths: Steps | None) -> None:
        """Count what these (n, t, d) sequences show."""
        first, last, blank = _blank_ends(block)
        if lengths is None:
            apart = np.where(blank, 0, first - last)
            self.start += int(apart[apart > 0].sum())
            self.end -= int(apart[apart < 0].sum())
        else:
            start, end = _sides(first, last, blank, block.shape[1] - lengths)
            self.start += int(start.sum())
            self.end += int(end.sum())


@dataclass(kw_only=True)
class Placement:
    """Moves the steps of one modality of one split to the front, block by block, and counts.

    Attributes:
        evidence: of the modality.
        lengths: (n,) valid steps, in the order of the rows; without `known` they are filled in as blocks come.
        known: whether the file has the lengths.
        hints: (n,) the first valid step as another array of the file has it, -1 if nothing is known.
        short: sequences with fewer steps than the array.
        moved: of these, those that were padded at the start.
        filled: of these, those that hold values outside their length on either side.
    """

    evidence: Evidence
    lengths: Steps
    known: bool
    hints: Steps
    short: int = field(default=0, init=False)
    moved: int = field(default=0, init=False)
    filled: int = field(default=0, init=False)

    def place(self, block: Array, start: int) -> Array:
        """These (n, t, d) sequences, row `start` and following, with their steps in front; changed in place."""
        rows = slice(start, start + len(block))
        first, last, blank = _blank_ends(block)
        steps = block.shape[1]
        if self.known:
            offsets = self._offsets(first, last, blank, rows, steps)
        else:
            at_start = first > last if self.evidence.mixed else np.full(len(block), self.evidence.at_start)
            offsets = np.where(at_start & ~blank, first, 0)
            self.lengths[rows] = np.where(blank, 0, steps - np.where(at_start, first, last))
        lengths = self.lengths[rows]
        self.short += int((lengths < steps).sum())
        moving = np.flatnonzero((offsets > 0) & ~blank)
        self.moved += len(moving)
        for row in moving:
            length = lengths[row]
            block[row, :length] = block[row, offsets[row] : offsets[row] + length].copy()
            block[row, length:] = 0
        return block

    def _offsets(self, first: Steps, last: Steps, blank: Flags, rows: slice, steps: int) -> Steps:
        """The first valid step of each sequence whose length is known."""
        surplus = np.maximum(steps - self.lengths[rows], 0)
        start, end = _sides(first, last, blank, surplus)
        self.filled += int(((surplus > 0) & ~blank & (first < surplus) & (last < surplus)).sum())
        hints = self.hints[rows]
        usual = surplus if self.evidence.at_start else np.zeros_like(surplus)
        offsets = np.where(hints >= 0, np.minimum(hints, surplus), usual)
        offsets[start] = surplus[start]
        offsets[end] = 0
        return offsets


def _sides(first: Steps, last: Steps, blank: Flags, surplus: Steps) -> tuple[Flags, Flags]:
    """Which sequences show that they are padded at the start, and which at the end.

    Args:
        first: (n,) blank steps at the beginning.
        last: (n,) blank steps at the end.
        blank: (n,) whether all steps are.
        surplus: (n,) steps of the array that a sequence does not have.
    """
    short = (surplus > 0) & ~blank
    at_start, at_end = first >= surplus, last >= surplus
    # A file whose lengths are too small by some steps shows its side by its longer blank end.
    vague = at_start == at_end
    neither = vague & ~at_start
    start = short & ((at_start & ~vague) | (neither & (first > last)))
    end = short & ((at_end & ~vague) | (neither & (last > first)))
    return start, end


def _blank_ends(block: Array) -> tuple[Steps, Steps, Flags]:
    """(n,) blank steps at the beginning and at the end of (n, t, d) sequences, and whether all steps are blank."""
    n, steps, features = block.shape
    filled = block.reshape(n, -1) != 0
    first = filled.argmax(axis=1)
    last = steps * features - 1 - filled[:, ::-1].argmax(axis=1)
    blank = ~filled[np.arange(n), first]
    return first // features, steps - 1 - last // features, blank


def mask_spans(mask: NDArray[np.int64]) -> tuple[Steps, Steps]:
    """Of (n, t) attention masks, (n,) the first step that counts, and (n,) the steps from it to the last."""
    counted = mask != 0
    first = counted.argmax(axis=1)
    last = mask.shape[1] - 1 - counted[:, ::-1].argmax(axis=1)
    return first, np.where(counted.any(axis=1), last - first + 1, 0)
