"""What a sampler is worth in a project, shown by the samples that were drawn at random next to its choice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .efficiency import labels_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PREFIX = "worth."
"""How the names of its numbers begin in a journal."""
ENOUGH = 10
"""Samples of the random share from which on it is estimated."""
RESAMPLES = 1999
SEED = 20_240
"""Of the generator of the bootstrap: the same labels give the same figures."""


@dataclass(frozen=True, kw_only=True)
class Worth:
    """Models of as many labels, chosen by the sampler or at random, compared on samples that were drawn at random.

    Intervals are for 95 %, by bootstrap over these samples. They hold for the labels that there are: with another
    sequence of labels, all of it would be different.

    Attributes:
        samples: that both were compared on.
        labels: of each of the two models.
        gain: how much better the sampler's is: share of samples that it classifies right, or mean absolute error.
        gain_low: lower end of its interval.
        gain_high: upper end.
        saved: labels fewer with which the sampler's reaches what the other has with all of them; negative if it
            takes more, -inf if it never does with those that there are.
        saved_low: lower end of its interval.
        saved_high: upper end.
    """

    samples: int
    labels: int
    gain: float
    gain_low: float
    gain_high: float
    saved: float
    saved_low: float
    saved_high: float

    @property
    def sure(self) -> bool:
        """Whether the interval of the gain excludes that there is none."""
        return self.gain_low > 0 or self.gain_high < 0

    @property
    def numbers(self) -> dict[str, float]:
        """As a journal keeps them, which holds finite numbers alone."""
        found = {name: float(getattr(self, name)) for name in type(self).__dataclass_fields__}
        return {PREFIX + name: value for name, value in found.items() if math.isfinite(value)}

    @classmethod
    def of(cls, numbers: Mapping[str, float]) -> Worth | None:
        """From what a journal has kept; None if it has not."""
        own = {name.removeprefix(PREFIX): value for name, value in numbers.items() if name.startswith(PREFIX)}
        if not {"samples", "labels"} <= own.keys():
            return None
        known: dict[str, Any] = {name: own.get(name, -math.inf) for name in cls.__dataclass_fields__}
        return cls(**known | {name: int(known[name]) for name in ("samples", "labels")})


def weigh(random: Array, sizes: Sequence[int], sampler: Array, labels: int) -> Worth:
    """Compare the two.

    Args:
        random: (n,) how good the model of random labels is on each sample, larger being better.
        sizes: numbers of labels of the sampler's models, ascending; `labels` is one of them.
        sampler: (n, sizes) the same of these models.
        labels: of the model of random labels.

    >>> import numpy as np
    >>> from alharness.results.worth import weigh
    >>> right = np.repeat([[0.0, 1.0, 1.0]], 20, axis=0)
    >>> found = weigh(right[:, 1], [10, 20, 30], right, 30)
    >>> found.gain, found.saved
    (0.0, 10.0)
    """
    both = np.column_stack([random, sampler])
    place = 1 + list(sizes).index(labels)
    rows = np.random.default_rng(SEED).integers(0, len(both), (RESAMPLES, len(both)))
    means = np.concatenate([both.mean(axis=0, keepdims=True), both[rows].mean(axis=1)])
    gains = means[:, place] - means[:, 0]
    saved = labels - labels_to(means[:, 0], sizes, means[:, 1:], lower_is_better=False)
    gain_low, gain_high = np.quantile(gains[1:], [0.025, 0.975])
    # Order statistics and nothing between them: a resample in which it is never reached counts as -inf.
    ordered, tail = np.sort(saved[1:]), int(0.025 * RESAMPLES)
    return Worth(
        samples=len(both),
        labels=labels,
        gain=float(gains[0]),
        gain_low=float(gain_low),
        gain_high=float(gain_high),
        saved=float(saved[0]),
        saved_low=float(ordered[tail]),
        saved_high=float(ordered[-1 - tail]),
    )
