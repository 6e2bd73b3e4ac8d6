"""What the tests rest on: a test of laws, and the global random generators."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

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


def global_state() -> tuple[Any, ...]:
    """Of Python's, numpy's and torch's generators, as something that can be compared."""
    name, key, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - a sampler may have used it
    return random.getstate(), (name, np.asarray(key).tobytes(), *rest), torch.get_rng_state().tolist()


def seed_all(seed: int) -> None:
    """Seed all of them."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)
