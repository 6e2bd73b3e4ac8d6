"""What is wrong with published features, put into made-up ones: infinities, NaN, and sequences without a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alharness.datasets.stored.manifest import Repairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIRTY, EMPTY = 0.02, 0.01
"""Shares of rows with bad values, and without a step."""


def soil(rng: np.random.Generator, n: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of n rows hold bad values, and which have length 0; no row is both."""
    drawn = rng.random(n)
    return drawn < DIRTY, (drawn >= DIRTY) & (drawn < DIRTY + EMPTY)


def mend(block: NDArray[np.float32], lengths: NDArray[np.int64]) -> Repairs:
    """Set what is not finite to 0, in place, and count it; `lengths` are only counted."""
    nan, inf = np.isnan(block), np.isinf(block)
    repairs = Repairs(nan=int(nan.sum()), inf=int(inf.sum()), empty=int((lengths == 0).sum()))
    block[nan | inf] = 0
    return repairs
