"""How a data set that has no split of its own is divided. Light: plugins tell sizes before anything is loaded."""

from __future__ import annotations

FRACTIONS = (0.6, 0.1, 0.3)
"""Train, validation and test shares."""


def split_sizes(n: int, fractions: tuple[float, float, float] = FRACTIONS) -> tuple[int, int, int]:
    """Sizes of train, valid and test when n samples are split by these shares."""
    train, valid = (round(n * share) for share in fractions[:2])
    return train, valid, n - train - valid
