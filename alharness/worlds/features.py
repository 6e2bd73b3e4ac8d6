"""Features: what a modality shows, among topic, source, nuisance and noise, mixed by a random matrix."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .population import Population, World

SIGNAL, TOPIC, SOURCE, NUISANCE = 12, 16, 8, 12
"""Dimensions of the parts that the features of a sample are mixed from."""
PARTS = SIGNAL + TOPIC + SOURCE + NUISANCE
SHARED, SPECIFIC = 0.6, 0.8
"""How much of a direction all topics share, and how much each has for itself."""
SOURCE_SIZE = 0.8
CORRUPTED, CORRUPTION = 0.6, 3.0
"""Probability that a modality of an outlier is corrupted, and the size of the noise that replaces it."""
EXACT = 2.0**20
"""Factors of the mixing are rounded to multiples of 1 / EXACT. Sums of 48 products of a number below 64 and one
below 1 are then exact in float64, so that the result does not depend on the order in which a library adds."""


class Signal(Protocol):
    """How what a modality shows becomes numbers."""

    def __call__(
        self,
        shown: Any,
        directions: NDArray[np.float64],
        topics: NDArray[np.int64],
        strength: NDArray[np.float64],
        /,
    ) -> NDArray[np.float64]:
        """The signals of n samples.

        Args:
            shown: what the modality shows of them.
            directions: (topics, kinds, SIGNAL), which look partly alike in all topics.
            topics: (n,) topics of the samples.
            strength: (SIGNAL,) one more direction, the same in all topics.

        Returns:
            (n, SIGNAL).
        """
        ...


def show_classes(
    shown: NDArray[Any], directions: NDArray[Any], topics: NDArray[Any], _strength: NDArray[Any]
) -> NDArray[np.float64]:
    """(n, SIGNAL) of n classes: each is a direction. See `Signal`."""
    return np.asarray(directions[topics, shown])


def show_numbers(
    shown: NDArray[Any], directions: NDArray[Any], topics: NDArray[Any], strength: NDArray[Any]
) -> NDArray[np.float64]:
    """(n, SIGNAL) of n numbers: their sign in the first direction, their size in `strength`. See `Signal`."""
    column = shown.astype(np.float64)[:, None]
    return np.asarray(np.tanh(1.5 * column) * directions[topics, 0] + np.abs(column) * strength)


def draw_features(
    world: World,
    modality: str,
    populations: Mapping[str, Population],
    shown: Mapping[str, Any],
    signal: Signal,
    kinds: int,
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float64]]:
    """The features of one modality.

    Args:
        world: the world.
        modality: one of its channels.
        populations: part -> its samples.
        shown: part -> what the modality shows of them, for `signal`.
        signal: makes numbers of it.
        kinds: directions that it needs in each topic.

    Returns:
        Part -> (n, d) features; and (d,) scales of their columns.
    """
    draw, channel = partial(world.draw, modality), world.channels[modality]
    sources = 1 + max(int(population.sources.max()) for population in populations.values())
    shared = draw("shared direction").standard_normal((1, kinds, SIGNAL))
    specific = draw("directions").standard_normal((world.topics, kinds, SIGNAL))
    directions = SHARED * shared + SPECIFIC * specific
    strength = draw("strength").standard_normal(SIGNAL)
    topic_parts = draw("topics").standard_normal((world.topics, TOPIC))
    source_parts = SOURCE_SIZE * draw("speakers").standard_normal((sources, SOURCE))
    matrix = draw("mixing").standard_normal((PARTS, channel.features)) / np.sqrt(PARTS)
    scales = np.exp(draw("scales").standard_normal(channel.features))
    offsets = scales * draw("offsets").standard_normal(channel.features)

    features = {}
    for split, population in populations.items():
        n = len(population)
        parts = [
            channel.signal * signal(shown[split], directions, population.clusters, strength),
            topic_parts[population.clusters],
            source_parts[population.sources],
            draw("nuisance", split).standard_normal((n, NUISANCE)),
        ]
        mixed = combine(np.concatenate(parts, axis=1), matrix)
        mixed += channel.noise * draw("noise", split).standard_normal(mixed.shape, dtype=np.float32)
        corrupted = population.outliers & (draw("corrupted", split).random(n) < CORRUPTED)
        shape = int(corrupted.sum()), mixed.shape[1]
        mixed[corrupted] = CORRUPTION * draw("corruption", split).standard_normal(shape)
        features[split] = (mixed * scales + offsets).astype(np.float32)
    return features, scales


def combine(parts: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exact matrix product (n, PARTS) x (PARTS, d) of rounded factors, the same bytes on every machine."""
    return np.asarray((np.rint(parts * EXACT) / EXACT) @ (np.rint(matrix * EXACT) / EXACT))
