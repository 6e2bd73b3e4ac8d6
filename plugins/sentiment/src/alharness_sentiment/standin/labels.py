"""What the labels of all stand-ins have in common: a label per modality, contradictions, and a mix by topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness_sentiment.modalities import MODALITIES

from .streams import stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .population import Population
    from .settings import StandInSettings

CONTRADICTING = (0.4, 0.35, 0.25)
"""Which modality it is that contradicts the others."""
WEIGHTS = (0.4, 0.25, 0.35)
CONCENTRATION = (1.2, 1.0, 1.4)
"""Half of the mix is fixed, half is drawn per topic from a Dirichlet distribution: which modality dominates has
to be learned topic by topic."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """Labels of the n samples of one split.

    Attributes:
        fused: (n,) float32 targets or int64 class indices.
        own: modality -> (n,) labels of that modality alone; features are made from them. A sentiment is between
            -1 and 1, whatever the range of the fused one.
    """

    fused: NDArray[Any]
    own: Mapping[str, NDArray[Any]]


def contradict(rng: np.random.Generator, probability: float, n: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Who contradicts whom.

    Returns:
        Which of n samples have a modality that contradicts the others, (n,) bool; and of those samples alone the
        position of that modality among `MODALITIES`.
    """
    conflicts = rng.random(n) < probability
    return conflicts, rng.choice(len(MODALITIES), size=n, p=CONTRADICTING)[conflicts]


def mix(settings: StandInSettings, name: str, population: Population, values: NDArray[Any]) -> NDArray[np.float64]:
    """Convex mix of the modalities, with the weights of each sample's topic.

    Args:
        settings: for the seed and the number of topics.
        name: the data set.
        population: for the topics.
        values: (n, modalities, c).

    Returns:
        (n, c) mixed values.
    """
    drawn = stream(settings.seed, name, "weights").dirichlet(CONCENTRATION, size=settings.n_clusters)
    weights = (0.5 * drawn + 0.5 * np.array(WEIGHTS))[population.clusters]
    mixed = np.zeros((len(population), values.shape[2]))
    for position in range(len(MODALITIES)):
        mixed += weights[:, position, None] * values[:, position]
    return mixed
