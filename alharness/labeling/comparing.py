"""Trains what `results.worth` compares: models of labels that the sampler chose, and of labels drawn at random.

Both begin with the labels that there were at first. Each random label is predicted by a model that was trained
without it. The sampler's models are trained without any random label, so they serve all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alharness.api.vocabulary import Task
from alharness.engine.extraction import predict
from alharness.engine.recipe import Fit, Fitted
from alharness.engine.seeds import derive, stream
from alharness.results.worth import ENOUGH, Worth, weigh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alharness.engine.training import Trainer

    from .asking import Known

FOLDS = 5
PARTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
"""Labels of the sampler's models, as shares of those of the random ones."""
STREAM = "worth"


def compare(
    trainer: Trainer, known: Known, chosen: Sequence[int], drawn: Sequence[int], *, seed: int, batch: int
) -> Worth | None:
    """What the labels so far say about the sampler; None if too few were drawn at random.

    Args:
        trainer: trains the models.
        known: the pool.
        chosen: positions of samples with a label that the sampler has chosen, in this order.
        drawn: the same of samples that were drawn at random next to these.
        seed: of the folds and the models.
        batch: samples per batch of inference.

    Raises:
        HarnessError: a training failed.
    """
    if len(drawn) < ENOUGH or not chosen:
        return None
    order = stream(seed, "sampler", 0, STREAM).permutation(np.asarray(drawn))
    folds = np.array_split(order, FOLDS)
    count = min(len(drawn) - max(map(len, folds)), len(chosen))
    rests = [np.concatenate([*folds[:f], *folds[f + 1 :]])[:count] for f in range(FOLDS)]
    sizes = sorted({min(round(part * count), len(chosen)) for part in PARTS} | {count})
    start = known.batches[0]
    positions = [[*start, *rest] for rest in rests] + [[*start, *chosen[:size]] for size in sizes]
    own = derive(seed, "model", known.cycle)
    requests = [
        Fit(labeled=known.samples.subset(np.sort(np.array(p, np.int64))), seed=own, cycle=known.cycle)
        for p in positions
    ]
    models = trainer.fit_many(requests)
    for model in models:
        if isinstance(model, BaseException):
            raise model
    fitted = [model for model in models if isinstance(model, Fitted)]
    random = np.concatenate([_good(fitted[f], known, fold, batch) for f, fold in enumerate(folds)])
    everything = np.concatenate(folds)
    sampler = np.column_stack([_good(model, known, everything, batch) for model in fitted[FOLDS:]])
    return weigh(random, [len(start) + size for size in sizes], sampler, len(start) + count)


def _good(fitted: Fitted, known: Known, positions: NDArray[np.int64], batch: int) -> NDArray[np.float64]:
    """How good the model is on each of these samples: 1 if its class is right, or minus its error."""
    with fitted.border.crossed("evaluation"):
        found = predict(fitted, known.samples.inputs.take(positions), batch)
    labels = known.samples.labels[positions]
    if fitted.task == Task.CLASSIFICATION:
        right: NDArray[np.float64] = np.equal(found.argmax(axis=1), labels).astype(np.float64)
        return right
    errors: NDArray[np.float64] = np.abs(found[:, 0].astype(np.float64) - labels)
    return -errors
