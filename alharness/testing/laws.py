"""Whether two ways to choose at random have one law."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHUFFLES = 4999


def p_value(a: NDArray[np.bool_], b: NDArray[np.bool_], seed: int = 0) -> float:
    """Of a permutation test: how often a shuffle sets two groups of choices as far apart as they are.

    The statistic is Σ_i (a_i − b_i)² / (a_i + b_i), where a_i and b_i say how often sample i was chosen in each
    group. Choices are shuffled whole, so that the test is exact however the picks of one choice depend on each
    other. At least 1 / 5000.

    Args:
        a: (s, n) choice and sample -> whether it was chosen.
        b: the same, as many.
        seed: of the shuffles.
    """
    both = np.concatenate([a, b]).astype(float)
    total = both.sum(0)
    rng = np.random.default_rng(seed)
    first = np.repeat([1.0, 0.0], [len(a), len(b)])
    groups = np.stack([first, *(rng.permutation(first) for _ in range(SHUFFLES))])
    counts = groups @ both
    distances = ((2 * counts - total) ** 2 / np.maximum(total, 1)).sum(1)
    # Sums of a few thousand terms: equal ones may differ by rounding.
    return float((distances >= distances[0] - 1e-9 * (1 + distances[0])).mean())
