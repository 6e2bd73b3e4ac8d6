"""One vector per sample and modality: its signal among topic, speaker, nuisance and noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .designs import find_design
from .streams import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .population import Population
    from .settings import StandInSettings

SIGNAL, TOPIC, SPEAKER, NUISANCE = 12, 16, 8, 12
"""Dimensions of the parts that the features of a sample are mixed from."""
PARTS = SIGNAL + TOPIC + SPEAKER + NUISANCE
SHARED, SPECIFIC = 0.6, 0.8
"""How much of the signal's direction all topics share, and how much each has for itself."""
SPEAKER_SIZE, NOISE = 0.8, 0.5
CORRUPTED, CORRUPTION = 0.6, 3.0
"""Probability that a modality of an outlier is corrupted, and the size of the noise that replaces it."""
EXACT = 2.0**20
"""Factors of the mixing are rounded to multiples of 1 / EXACT. Sums of 48 products of a number below 64 and one
below 1 are then exact in float64, so that the result does not depend on the order in which a library adds."""


class Channels:
    """How the parts of a sample become the features of one modality.

    Args:
        name: the data set.
        settings: seed, signal and number of topics.
        modality: text, audio or vision.
        sources: number of source videos over all splits.
    """

    def __init__(self, name: str, settings: StandInSettings, modality: str, sources: int) -> None:
        self._name, self._settings, self._modality = name, settings, modality
        design = find_design(name)
        channel, topics = design.channels[modality], settings.n_clusters
        features = channel.features
        self._signal_size = channel.gain * getattr(settings.snr, modality)
        self._sentiment = design.sentiment is not None
        kinds = 1 if self._sentiment else len(design.classes)
        shared = self._draw("shared direction").standard_normal((1, kinds, SIGNAL))
        specific = self._draw("directions").standard_normal((topics, kinds, SIGNAL))
        self._directions = SHARED * shared + SPECIFIC * specific
        self._strength = self._draw("strength").standard_normal(SIGNAL)
        self._topics = self._draw("topics").standard_normal((topics, TOPIC))
        self._speakers = SPEAKER_SIZE * self._draw("speakers").standard_normal((sources, SPEAKER))
        self._matrix = self._draw("mixing").standard_normal((PARTS, features)) / np.sqrt(PARTS)
        self.scales = np.exp(self._draw("scales").standard_normal(features))
        """(d,) column scales."""
        self._offsets = self.scales * self._draw("offsets").standard_normal(features)

    def features(self, population: Population, labels: NDArray[Any]) -> NDArray[np.float32]:
        """(n, d) features of the samples of a split, from (n,) labels of this modality."""
        n, split = len(population), population.split
        parts = np.concatenate(
            [
                self._signal_size * self._signal(labels, population.clusters),
                self._topics[population.clusters],
                self._speakers[population.sources],
                self._draw("nuisance", split).standard_normal((n, NUISANCE)),
            ],
            axis=1,
        )
        mixed = combine(parts, self._matrix)
        mixed += NOISE * self._draw("noise", split).standard_normal(mixed.shape, dtype=np.float32)
        corrupted = population.outliers & (self._draw("corrupted", split).random(n) < CORRUPTED)
        shape = int(corrupted.sum()), mixed.shape[1]
        mixed[corrupted] = CORRUPTION * self._draw("corruption", split).standard_normal(shape)
        return (mixed * self.scales + self._offsets).astype(np.float32)

    def _signal(self, labels: NDArray[Any], clusters: NDArray[np.int64]) -> NDArray[np.float64]:
        if not self._sentiment:
            return np.asarray(self._directions[clusters, labels])
        values = labels.astype(np.float64)[:, None]
        signal = np.tanh(1.5 * values) * self._directions[clusters, 0] + np.abs(values) * self._strength
        return np.asarray(signal)

    def _draw(self, *purpose: str) -> np.random.Generator:
        return stream(self._settings.seed, self._name, self._modality, *purpose)


def combine(parts: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exact matrix product (n, PARTS) x (PARTS, d) of rounded factors, the same bytes on every machine."""
    return np.asarray((np.rint(parts * EXACT) / EXACT) @ (np.rint(matrix * EXACT) / EXACT))
