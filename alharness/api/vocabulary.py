"""The vocabulary that samplers, models and data sets share."""

from __future__ import annotations

from enum import StrEnum

FUSED = "fused"
"""The source that joins all modalities. A source is a modality's name or this."""


class Task(StrEnum):
    """What is predicted.

    >>> from alharness import Task
    >>> Task("regression") is Task.REGRESSION
    True
    """

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class Feature(StrEnum):
    """What a sampler may ask of a fitted model; a model plugin says which of them it provides.

    >>> from alharness import Feature
    >>> sorted(Feature)[0], str(Feature.MC_DRAWS)
    (<Feature.DECODE: 'decode'>, 'mc_draws')
    """

    EMBEDDINGS = "embeddings"
    REPRESENTATIONS = "representations"
    PREDICTIONS = "predictions"
    MC_DRAWS = "mc_draws"
    DECODE = "decode"
