"""The vocabulary that samplers, models and data sets share."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """What a sampler may read; a model plugin says which of `PROVIDED` it provides.

    `inputs` come from the data set, whatever the model. So does `truth`, what is known of every sample of made-up
    data: a sampler that reads it is a control, which is shown and compared, and never ranked.

    >>> from alharness import Feature
    >>> sorted(Feature)[0], str(Feature.MC_DRAWS)
    (<Feature.DECODE: 'decode'>, 'mc_draws')
    """

    EMBEDDINGS = "embeddings"
    REPRESENTATIONS = "representations"
    PREDICTIONS = "predictions"
    MC_DRAWS = "mc_draws"
    DECODE = "decode"
    INPUTS = "inputs"
    TRUTH = "truth"


Space = Literal["inputs", "representations", "embeddings"]
"""A feature that makes each sample a point, between which distances are measured: see `Query.points`."""

PROVIDED = frozenset(Feature) - {Feature.INPUTS, Feature.TRUTH}
"""The features that are a model's."""


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """What a model is built for.

    Attributes:
        features: modality -> d, the size of an input vector (of a step, for a sequence).
        task: classification or regression.
        outputs: the number of classes, or 1.
        steps: modality -> the most steps of a sequence; a modality without an entry is one vector.

    >>> from alharness import ModelShape, Task
    >>> shape = ModelShape(features={"audio": 25, "text": 768}, task=Task.REGRESSION, outputs=1)
    >>> shape.modalities
    ('audio', 'text')
    """

    features: Mapping[str, int]
    task: Task
    outputs: int
    steps: Mapping[str, int] = field(default_factory=dict)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities, in the data set's order."""
        return tuple(self.features)
