"""A whole stand-in at the level of pooled features, in memory: a world with a law of labels of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alharness.worlds.features import draw_features, show_classes, show_numbers

from .designs import Recipe
from .samples import draw_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from alharness.worlds.population import Population

    from .samples import Labels
    from .settings import StandInSettings


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
    world = recipe.world
    populations = world.populate()
    signal = show_numbers if recipe.design.sentiment else show_classes
    kinds = len(recipe.design.classes) or 1
    labels = {split: draw_labels(recipe, population) for split, population in populations.items()}
    features, scales = {}, {}
    for modality in recipe.design.channels:
        own = {split: drawn.own[modality] for split, drawn in labels.items()}
        features[modality], scales[modality] = draw_features(
            recipe.world, modality, populations, own, signal, kinds
        )
    parts = {
        split: SplitData(
            population=population,
            labels=labels[split],
            features={modality: own[split] for modality, own in features.items()},
        )
        for split, population in populations.items()
    }
    return StandIn(recipe=recipe, parts=parts, scales=scales)
