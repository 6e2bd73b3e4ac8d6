"""What is known of the real data sets and kept by their stand-ins: shapes, sizes, labels. No heavy imports."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from alharness import DatasetFacts, SpecError, Task
from alharness_sentiment.modalities import MODALITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from alharness.worlds.population import World

    from .settings import StandInSettings


LEVELS = {
    "train": (921, 433, 232, 318, 818),
    "valid": (224, 110, 62, 83, 168),
    "test": (291, 211, 93, 183, 256),
}
"""Samples of CH-SIMS v2.0 that are negative, weakly negative, neutral, weakly positive, positive (figure in the
repository of thuiar/ch-sims-v2). The test split is less extreme than the others; stand-ins keep that shift."""

EMOTIONS = {
    "anger": 0.202,
    "disgust": 0.093,
    "fear": 0.109,
    "happy": 0.161,
    "neutral": 0.215,
    "sad": 0.110,
    "surprise": 0.110,
}
"""Class shares of CHERMA, solved from the support-weighted F1 of published tables; good to about 0.003."""

SAMPLES_PER_SOURCE = 4403 / 145
"""CH-SIMS v2.0 has 145 source videos; taken for the other data sets too."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """Features of one modality.

    Attributes:
        features: d, features per step.
        steps: t, the length to which sequences are padded.
        gain: factor of the signal, set so that the stand-in has the properties that its tests ask for: the parts
            of a sample are hard to distinguish in a few features, and easy in many.
    """

    features: int
    steps: int
    gain: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Sentiment:
    """Numbers between -extent and extent.

    Attributes:
        extent: the largest label.
        per_unit: labels are multiples of 1 / per_unit.
        own: every modality comes with a label of its own.
    """

    extent: int
    per_unit: int
    own: bool


@dataclass(frozen=True, kw_only=True)
class Design:
    """A real data set as far as its stand-in follows it.

    Attributes:
        channels: modality -> features, in the data set's order.
        sizes: samples in train, valid and test.
        sentiment: the labels of a regression; None if the labels are the `EMOTIONS`.
    """

    channels: Mapping[str, Channel]
    sizes: tuple[int, int, int]
    sentiment: Sentiment | None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; empty for regression."""
        return () if self.sentiment else tuple(EMOTIONS)


def _channels(*shapes: tuple[int, int], gains: tuple[float, ...] = (1, 1, 1)) -> dict[str, Channel]:
    return {
        modality: Channel(features=features, steps=steps, gain=gain)
        for modality, (steps, features), gain in zip(MODALITIES, shapes, gains, strict=True)
    }


SIMS = Sentiment(extent=1, per_unit=5, own=True)

DESIGNS: Mapping[str, Design] = {
    "simsv2": Design(
        channels=_channels((50, 768), (925, 25), (232, 177)), sizes=(2722, 647, 1034), sentiment=SIMS
    ),
    "sims": Design(channels=_channels((39, 768), (400, 33), (55, 709)), sizes=(1368, 456, 457), sentiment=SIMS),
    "mosi": Design(
        channels=_channels((50, 768), (500, 5), (375, 20), gains=(1, 4, 3)),
        sizes=(1284, 229, 686),
        sentiment=Sentiment(extent=3, per_unit=5, own=False),
    ),
    "mosei": Design(
        channels=_channels((50, 768), (500, 74), (375, 35), gains=(1, 1, 2)),
        sizes=(16326, 1871, 4659),
        sentiment=Sentiment(extent=3, per_unit=3, own=False),
    ),
    "cherma": Design(
        channels=_channels((80, 768), (100, 768), (64, 512), gains=(0.7, 0.4, 0.6)),
        sizes=(17230, 5743, 5744),
        sentiment=None,
    ),
}
"""Shapes and sizes as published (thuiar/MMSA, sunjunaimer/LFMIM, the supplement of GRACE); the valid and test
sizes of MOSEI and SIMS, those of CHERMA, and the steps of CHERMA's audio are approximate."""


@dataclass(frozen=True)
class Recipe:
    """All that the content of a stand-in depends on.

    Attributes:
        name: the data set that it replaces.
        settings: what can be chosen.

    Raises:
        SpecError: the data set has no stand-in.
    """

    name: str
    settings: StandInSettings

    def __post_init__(self) -> None:
        if self.name not in DESIGNS:
            known = ", ".join(sorted(DESIGNS))
            raise SpecError(f"{self.name!r} has no stand-in; those with one: {known}")

    @property
    def design(self) -> Design:
        """What the stand-in has in common with the data set."""
        return DESIGNS[self.name]

    @property
    def facts(self) -> DatasetFacts:
        """What is known before it is made; sizes are reduced to the share that is asked for."""
        train, valid, test = (math.ceil(size * self.settings.share) for size in self.design.sizes)
        return DatasetFacts(
            task=Task.REGRESSION if self.design.sentiment else Task.CLASSIFICATION,
            modalities=tuple(self.design.channels),
            sizes=(train, valid, test),
            synthetic=True,
        )

    @cached_property
    def world(self) -> World:
        """Who is in it, and how they are seen."""
        from alharness.worlds.population import Channel as Seen
        from alharness.worlds.population import World

        settings = self.settings
        return World(
            name=self.name,
            seed=settings.seed,
            sizes=dict(zip(LEVELS, self.facts.sizes, strict=True)),
            channels={
                modality: Seen(features=channel.features, signal=channel.gain * getattr(settings.snr, modality))
                for modality, channel in self.design.channels.items()
            },
            topics=settings.n_clusters,
            zipf=settings.zipf,
            outliers=dict.fromkeys(LEVELS, settings.outlier),
            per_source=SAMPLES_PER_SOURCE,
            id_format="video_{:04}$_${:04}",
        )

    def draw(self, *purpose: str | int) -> np.random.Generator:
        """The random stream of this purpose, see `World.draw`."""
        return self.world.draw(*purpose)
