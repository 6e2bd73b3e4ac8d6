"""Labels of a regression: a sentiment per modality, and the fused one as their mix.

All is computed in whole fifths, so that labels are exactly on their grid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alharness_sentiment.modalities import MODALITIES

from .designs import LEVELS, Sentiment
from .labels import Labels, contradict, mix
from .streams import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .population import Population
    from .settings import StandInSettings

FIFTHS = ((-5, -4), (-3, -2, -1), (0,), (1, 2, 3), (4, 5))
"""The grid points of the five levels."""
EDGES = (-5.5, -3.5, -0.5, 0.5, 3.5, 5.5)
"""Bounds of the five levels, in fifths: halfway between grid points."""
FLIPPED = 0.6
"""Share of contradictions that change sides; the others are neutral."""


def draw_sentiments(name: str, settings: StandInSettings, sentiment: Sentiment, population: Population) -> Labels:
    """Labels of a split."""

    def draw(purpose: str) -> np.random.Generator:
        return stream(settings.seed, name, population.split, purpose)

    n = len(population)
    base = _levels(draw("levels"), population.split, n)
    fifths = (base[:, None] + draw("jitter").choice([-1, 0, 0, 1], size=(n, len(MODALITIES)))).clip(-5, 5)
    conflicts, which = contradict(draw("conflict"), settings.conflict, n)
    fifths[conflicts, which] = _contradiction(draw("contradiction"), base)[conflicts]
    fused = mix(settings, name, population, fifths[:, :, None] / 5)[:, 0]
    fused += settings.label_noise * draw("label noise").standard_normal(n)
    corrupt = population.outliers & (population.split == "train")
    fused[corrupt] = draw("corrupt label").uniform(-1, 1, size=n)[corrupt]
    units = _on_grid(fused, population.split, sentiment.extent * sentiment.per_unit)
    return Labels(
        fused=(units / sentiment.per_unit).astype(np.float32),
        own={m: (fifths[:, position] / 5).astype(np.float32) for position, m in enumerate(MODALITIES)},
    )


def _on_grid(mixed: NDArray[np.float64], split: str, steps: int) -> NDArray[np.float64]:
    """The mix mapped onto the published levels by quantile: the k-th smallest of n has quantile (k − ½) / n.

    A mix of three sentiments is milder than each of them, so that rounding it would leave the extreme levels of
    the real data nearly empty.

    Args:
        mixed: (n,) finite numbers; only their order counts.
        split: whose levels.
        steps: grid points on each side of zero.

    Returns:
        (n,) whole steps between -steps and steps.
    """
    quantiles = np.empty(len(mixed))
    quantiles[np.argsort(mixed, kind="stable")] = (np.arange(len(mixed)) + 0.5) / len(mixed)
    reached = np.concatenate([[0], np.cumsum(LEVELS[split])]) / sum(LEVELS[split])
    fifths = np.interp(quantiles, reached, EDGES)
    # A grid of 2 · steps + 1 points has as many cells of width 1; that of fifths has 11.
    return np.rint(fifths * ((2 * steps + 1) / 11)) + 0.0  # no zero with a sign


def _levels(rng: np.random.Generator, split: str, n: int) -> NDArray[np.int64]:
    shares = np.concatenate(
        [np.full(len(points), count / len(points)) for points, count in zip(FIFTHS, LEVELS[split], strict=True)]
    )
    return rng.choice(np.concatenate(FIFTHS), size=n, p=shares / shares.sum())


def _contradiction(rng: np.random.Generator, base: NDArray[np.int64]) -> NDArray[np.int64]:
    n = len(base)
    sides = np.where(base == 0, rng.choice([-1, 1], size=n), -np.sign(base))
    return np.where(rng.random(n) < FLIPPED, sides * rng.integers(1, 6, size=n), 0)
