"""How good a model is if no samples were set aside for a test: by cross-validation over the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alharness.engine.extraction import predict
from alharness.engine.metrics import evaluate
from alharness.engine.recipe import Fit
from alharness.engine.seeds import derive, stream

if TYPE_CHECKING:
    from alharness.engine.training import Trainer

    from .asking import Known

FOLDS = 5


def cross_validate(trainer: Trainer, known: Known, seed: int, batch: int) -> dict[str, float]:
    """Metrics of predictions for labeled samples, each by a model that was trained without it; {} of one alone.

    The samples are those that were chosen, so that this is no estimate for the pool.

    Args:
        trainer: trains the models.
        known: the pool.
        seed: of the folds and the models.
        batch: samples per batch of inference.

    Raises:
        HarnessError: a training failed.
    """
    labeled = known.samples.subset(known.pool.known)
    if len(labeled) < 2:
        return {}
    order = stream(seed, "validation", known.cycle).permutation(len(labeled))
    folds = [np.sort(fold) for fold in np.array_split(order, min(FOLDS, len(labeled)))]
    seed = derive(seed, "model", known.cycle)
    rests = [np.setdiff1d(np.arange(len(labeled)), fold) for fold in folds]
    fits = [Fit(labeled=labeled.subset(rest), seed=seed, cycle=known.cycle) for rest in rests]
    predictions = []
    for fitted, fold in zip(trainer.fit_many(fits), folds, strict=True):
        if isinstance(fitted, BaseException):
            raise fitted
        with fitted.border.crossed("evaluation"):
            predictions.append(predict(fitted, labeled.inputs.take(fold), batch))
    labels = labeled.labels[np.concatenate(folds)]
    return evaluate(known.metrics, np.concatenate(predictions), labels, known.classes)
