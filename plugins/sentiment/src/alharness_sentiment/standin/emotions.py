"""Labels of a classification: an emotion per modality, and the fused one as their vote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alharness_sentiment.modalities import MODALITIES

from .designs import EMOTIONS
from .labels import Labels, contradict, mix
from .streams import stream

if TYPE_CHECKING:
    from .population import Population
    from .settings import StandInSettings

SLIP = 0.15
"""Probability that a modality's label is drawn again, contradiction or not: in CHERMA any two modalities disagree
in more than three samples of ten."""


def draw_emotions(name: str, settings: StandInSettings, population: Population) -> Labels:
    """Labels of a split: indices into `EMOTIONS`."""

    def draw(purpose: str) -> np.random.Generator:
        return stream(settings.seed, name, population.split, purpose)

    n, count = len(population), len(MODALITIES)
    shares = np.array(tuple(EMOTIONS.values()))
    shares /= shares.sum()
    classes = len(shares)
    own = np.repeat(draw("emotion").choice(classes, size=(n, 1), p=shares), count, axis=1)
    slipped = draw("slip").random((n, count)) < SLIP
    own[slipped] = draw("slipped").choice(classes, size=(n, count), p=shares)[slipped]
    conflicts, which = contradict(draw("conflict"), settings.conflict, n)
    own[conflicts, which] = draw("contradiction").choice(classes, size=n, p=shares)[conflicts]
    votes = mix(settings, name, population, np.eye(classes)[own])
    votes += settings.label_noise * draw("label noise").standard_normal((n, classes))
    fused = votes.argmax(axis=1)
    corrupt = population.outliers & (population.split == "train")
    fused[corrupt] = draw("corrupt label").integers(classes, size=n)[corrupt]
    return Labels(fused=fused, own={m: own[:, position] for position, m in enumerate(MODALITIES)})
