"""One door to the metrics of every scoring."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from alharness.api.vocabulary import Scoring, Task

from .classification import classification, emotions
from .regression import regression
from .sentiment import mosi, sims

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]

PRIMARY: Mapping[Scoring, str] = {
    Scoring.CLASSIFICATION: "f1",
    Scoring.EMOTIONS: "f1",
    Scoring.REGRESSION: "mae",
    Scoring.SIMS: "mae",
    Scoring.MOSI: "mae",
}
"""The metric that ranks samplers and stops training early."""

HEADLINE: Mapping[Scoring, tuple[str, ...]] = {
    Scoring.CLASSIFICATION: ("accuracy", "f1", "f1_macro"),
    Scoring.EMOTIONS: ("accuracy", "f1", "f1_macro"),
    Scoring.REGRESSION: ("mae", "rmse", "corr"),
    Scoring.SIMS: ("mae", "acc2", "corr"),
    Scoring.MOSI: ("mae", "acc2_non0", "corr"),
}
"""The metrics that fit into a table; the others are in journals and trackers."""

LOWER_IS_BETTER = frozenset({"mae", "rmse"})
"""Metrics whose smaller values are better; all others are better when larger."""


def evaluate(scoring: Scoring, predictions: Array, labels: Array, classes: Sequence[str] = ()) -> dict[str, float]:
    """All metrics of a scoring, by name.

    Args:
        scoring: which family of metrics.
        predictions: (n, C) scores, the largest being the predicted class; or (n, 1) values.
        labels: (n,) class indices or targets.
        classes: names of the classes, for metrics of single ones.
    """
    if scoring.task == Task.REGRESSION:
        return _VALUES[scoring](predictions[:, 0], labels)
    measure = partial(emotions, names=classes) if scoring == Scoring.EMOTIONS else classification
    return measure(predictions.argmax(axis=1), labels, predictions.shape[1])


_VALUES = {Scoring.REGRESSION: regression, Scoring.SIMS: sims, Scoring.MOSI: mosi}
