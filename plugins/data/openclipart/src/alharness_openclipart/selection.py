"""Which drawings are in the data set, and why the others are not."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .drawings import Drawing

NO_SUBJECT = frozenset({"unsorted", "special"})
"""Folders that say nothing of what is drawn: leftovers; and gradients, patterns and examples of templates."""
LEAST = 40
"""Drawings of a class at least."""
SIDE = 24
"""Drawings are compared as images of SIDE × SIDE pixels in three colours, 0 to 255."""
NEAR = 4
"""Root of the mean squared difference up to which two of them are near copies,"""
FAINT = 5
"""if that is no more than a fifth of what the fainter one differs from white."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What is in the data set.

    Attributes:
        rows: of the drawings that are in it, ascending.
        left_out: reason -> how many are left out for it; a drawing counts for the first reason that holds.
        small: class -> drawings of each class that is too small.
    """

    rows: NDArray[np.int64]
    left_out: dict[str, int]
    small: dict[str, int]


def choose(drawings: Sequence[Drawing], images: NDArray[np.uint8]) -> Chosen:
    """Leave out what is not free, shows nothing, has no subject, is there twice, or is of a tiny class.

    Args:
        drawings: n of them, in the order of their paths.
        images: (n, side, side, 3), side a multiple of SIDE.
    """
    why = dict.fromkeys(range(len(drawings)), "")
    for i, drawing in enumerate(drawings):
        if not drawing.free:
            why[i] = "does not say that it is in the public domain"
        elif (images[i] == images[i, 0, 0]).all():
            why[i] = "shows nothing: one colour, or only words, for which no font is used"
        elif drawing.folder in NO_SUBJECT:
            why[i] = "is in a folder without a subject (special, unsorted)"
    left = np.array([i for i, reason in why.items() if not reason])
    for group in copies(shrunk(images[left])):
        members = sorted(int(left[i]) for i in group)
        if len({drawings[i].folder for i in members}) > 1:
            why |= dict.fromkeys(members, "is in folders of two classes")
        else:
            why |= dict.fromkeys(members[1:], "is a copy, or nearly one, of another one of its class")
    sizes = Counter(drawings[i].folder for i, reason in why.items() if not reason)
    small = {name: n for name, n in sorted(sizes.items()) if n < LEAST}
    why |= {
        i: f"is of a class of fewer than {LEAST}"
        for i, reason in why.items()
        if not reason and drawings[i].folder in small
    }
    left_out = Counter(reason for reason in why.values() if reason)
    rows = np.array([i for i, reason in why.items() if not reason], dtype=np.int64)
    return Chosen(rows=rows, left_out=dict(left_out), small=small)


def shrunk(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n, side, side, 3) -> (n, SIDE · SIDE · 3): means of blocks, rounded down, which is exact."""
    n, side = images.shape[:2]
    block = side // SIDE
    blocks = images.reshape(n, SIDE, block, SIDE, block, 3).sum(axis=(2, 4), dtype=np.int64)
    small: NDArray[np.int64] = (blocks // block**2).reshape(n, -1)
    return small


def copies(images: NDArray[np.int64]) -> list[list[int]]:
    """Groups of two or more rows that are joined by pairs of near copies."""
    squares = (images**2).sum(axis=1)
    limits = np.minimum(NEAR**2 * images.shape[1], ((255 - images) ** 2).sum(axis=1) // FAINT**2)
    parent = list(range(len(images)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    as_floats: NDArray[Any] = images.astype(np.float64)  # whole numbers below 2^53: sums are exact in any order
    for start in range(0, len(images), 1000):
        block = slice(start, start + 1000)
        distances = squares[block, None] + squares[None] - 2 * (as_floats[block] @ as_floats.T)
        near = distances <= np.minimum(limits[block, None], limits[None])
        for i, j in zip(*np.nonzero(near), strict=True):
            parent[root(start + int(i))] = root(int(j))
    groups = defaultdict(list)
    for i in range(len(images)):
        groups[root(i)].append(i)
    return [group for group in groups.values() if len(group) > 1]
