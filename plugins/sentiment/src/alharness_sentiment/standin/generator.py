"""A whole stand-in at the level of pooled features, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .designs import find_design
from .emotions import draw_emotions
from .features import Channels
from .population import populate
from .sentiments import draw_sentiments

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from .designs import Design
    from .labels import Labels
    from .population import Population
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
        name: the data set that it replaces.
        settings: what it was made with.
        design: what it has in common with the data set.
        parts: split -> samples.
        scales: modality -> (d,) size of the features' columns.
    """

    name: str
    settings: StandInSettings
    design: Design
    parts: Mapping[str, SplitData]
    scales: Mapping[str, NDArray[np.float64]]


def generate(name: str, settings: StandInSettings) -> StandIn:
    """The stand-in for this data set; the same settings give the same bytes.

    Raises:
        SpecError: the data set has no stand-in.
    """
    design = find_design(name)
    populations = populate(name, settings)
    sources = 1 + max(int(population.sources.max()) for population in populations.values())
    channels = {modality: Channels(name, settings, modality, sources) for modality in design.channels}
    parts = {}
    for split, population in populations.items():
        if design.sentiment:
            labels = draw_sentiments(name, settings, design.sentiment, population)
        else:
            labels = draw_emotions(name, settings, population)
        features = {m: channel.features(population, labels.own[m]) for m, channel in channels.items()}
        parts[split] = SplitData(population=population, labels=labels, features=features)
    return StandIn(
        name=name,
        settings=settings,
        design=design,
        parts=parts,
        scales={m: channel.scales for m, channel in channels.items()},
    )
