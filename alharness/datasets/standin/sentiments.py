"""Labels of a regression: a sentiment per modality, and the fused one as their mix.

All is reckoned in whole fifths, so that labels lie on their grid exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .designs import LEVELS, MODALITIES, Sentiment
from .labels import Labels, contradict, mix
from .streams import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .population import Population
    from .settings import StandInSettings

FIFTHS = ((-5, -4), (-3, -2, -1), (0,), (1, 2, 3), (4, 5))
"""The grid points of the five levels."""
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
    units = np.rint(fused.clip(-1, 1) * (sentiment.extent * sentiment.per_unit)) + 0.0  # no zero with a sign
    return Labels(
        fused=(units / sentiment.per_unit).astype(np.float32),
        own={m: (fifths[:, position] / 5).astype(np.float32) for position, m in enumerate(MODALITIES)},
    )


def _levels(rng: np.random.Generator, split: str, n: int) -> NDArray[np.int64]:
    shares = np.concatenate(
        [np.full(len(points), count / len(points)) for points, count in zip(FIFTHS, LEVELS[split], strict=True)]
    )
    return rng.choice(np.concatenate(FIFTHS), size=n, p=shares / shares.sum())


def _contradiction(rng: np.random.Generator, base: NDArray[np.int64]) -> NDArray[np.int64]:
    n = len(base)
    sides = np.where(base == 0, rng.choice([-1, 1], size=n), -np.sign(base))
    return np.where(rng.random(n) < FLIPPED, sides * rng.integers(1, 6, size=n), 0)
