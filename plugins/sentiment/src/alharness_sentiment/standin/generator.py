"""A whole stand-in at the level of pooled features, in memory.

The vector of a sample and a modality is its signal among topic, speaker, nuisance and noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .designs import Recipe
from .samples import draw_labels, populate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .samples import Labels, Population
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


@dataclass(frozen=True, kw_only=True, eq=False)
class SplitData:
    """The n samples of one split.

    Attributes:
        population: who they are.
        labels: the fused labels, and those of each modality alone.
        features: modality -> (n, d) float32, one vector per sample.
    """

    population: Population
    labels: Labels
    features: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True, eq=False)
class StandIn:
    """A stand-in without its sequences.

    Attributes:
        recipe: what it is made from.
        parts: split -> samples.
        scales: modality -> (d,) size of the features' columns.
    """

    recipe: Recipe
    parts: Mapping[str, SplitData]
    scales: Mapping[str, NDArray[np.float64]]


def generate(name: str, settings: StandInSettings) -> StandIn:
    """The stand-in for this data set; the same settings give the same bytes.

    Raises:
        SpecError: the data set has no stand-in.
    """
    recipe = Recipe(name, settings)
    populations = populate(recipe)
    labels = {split: draw_labels(recipe, population) for split, population in populations.items()}
    features, scales = {}, {}
    for modality in recipe.design.channels:
        own = {split: drawn.own[modality] for split, drawn in labels.items()}
        features[modality], scales[modality] = draw_features(recipe, modality, populations, own)
    parts = {
        split: SplitData(
            population=population,
            labels=labels[split],
            features={modality: own[split] for modality, own in features.items()},
        )
        for split, population in populations.items()
    }
    return StandIn(recipe=recipe, parts=parts, scales=scales)


def draw_features(
    recipe: Recipe, modality: str, populations: Mapping[str, Population], labels: Mapping[str, NDArray[Any]]
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float64]]:
    """The features of one modality, from its own labels.

    Returns:
        Split -> (n, d) features; and (d,) scales of their columns.
    """
    draw, settings, design = partial(recipe.draw, modality), recipe.settings, recipe.design
    channel, topics = design.channels[modality], settings.n_clusters
    sources = 1 + max(int(population.sources.max()) for population in populations.values())
    kinds = 1 if design.sentiment else len(design.classes)
    shared = draw("shared direction").standard_normal((1, kinds, SIGNAL))
    specific = draw("directions").standard_normal((topics, kinds, SIGNAL))
    directions = SHARED * shared + SPECIFIC * specific
    strength = draw("strength").standard_normal(SIGNAL)
    topic_parts = draw("topics").standard_normal((topics, TOPIC))
    speaker_parts = SPEAKER_SIZE * draw("speakers").standard_normal((sources, SPEAKER))
    matrix = draw("mixing").standard_normal((PARTS, channel.features)) / np.sqrt(PARTS)
    scales = np.exp(draw("scales").standard_normal(channel.features))
    offsets = scales * draw("offsets").standard_normal(channel.features)

    def signal(values: NDArray[Any], clusters: NDArray[np.int64]) -> NDArray[np.float64]:
        if not design.sentiment:
            return np.asarray(directions[clusters, values])
        column = values.astype(np.float64)[:, None]
        return np.asarray(np.tanh(1.5 * column) * directions[clusters, 0] + np.abs(column) * strength)

    features = {}
    for split, population in populations.items():
        n = len(population)
        parts = [
            channel.gain * getattr(settings.snr, modality) * signal(labels[split], population.clusters),
            topic_parts[population.clusters],
            speaker_parts[population.sources],
            draw("nuisance", split).standard_normal((n, NUISANCE)),
        ]
        mixed = combine(np.concatenate(parts, axis=1), matrix)
        mixed += NOISE * draw("noise", split).standard_normal(mixed.shape, dtype=np.float32)
        corrupted = population.outliers & (draw("corrupted", split).random(n) < CORRUPTED)
        shape = int(corrupted.sum()), mixed.shape[1]
        mixed[corrupted] = CORRUPTION * draw("corruption", split).standard_normal(shape)
        features[split] = (mixed * scales + offsets).astype(np.float32)
    return features, scales


def combine(parts: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exact matrix product (n, PARTS) x (PARTS, d) of rounded factors, the same bytes on every machine."""
    return np.asarray((np.rint(parts * EXACT) / EXACT) @ (np.rint(matrix * EXACT) / EXACT))
