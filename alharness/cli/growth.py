"""How the cost of a query grows with the pool: samplers on synthetic pools of several sizes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from alharness.api.samples import Inputs, Samples
from alharness.api.vocabulary import ModelShape, Task
from alharness.engine.pool import Oracle, Pool
from alharness.engine.seeds import stream
from alharness.engine.selection import ask
from alharness.engine.training import Trainer
from alharness.spec.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from alharness.api.model import ModelPlugin
    from alharness.api.sampler import SamplerPlugin

MODALITIES = {"text": 64, "audio": 32, "vision": 32}
"""Modalities of the synthetic pool and their numbers of features."""
CLASSES = 7


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What every query is asked.

    Attributes:
        sizes: unlabeled samples, one query for each.
        labeled: labeled samples.
        budget: samples to choose.
        task: classification with seven classes, or regression.
        seed: of the pool, the model and the query.
    """

    sizes: tuple[int, ...]
    labeled: int
    budget: int
    task: Task
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Point:
    """One query.

    Attributes:
        sampler: its name.
        size: unlabeled samples.
        cost: see `alharness.engine.selection.Answer`.
    """

    sampler: str
    size: int
    cost: Mapping[str, float]


def measure(samplers: Sequence[SamplerPlugin], model: ModelPlugin, work: Workload) -> Iterator[Point]:
    """Query every sampler at every size, small pools first, one query at a time.

    The model is trained briefly on the labeled samples, so that its predictions are neither uniform nor certain.
    Before the first figure each sampler is asked once, unmeasured: imports and buffers are not the pool's doing.
    """
    shape = ModelShape(
        features=MODALITIES, task=work.task, outputs=CLASSES if work.task == Task.CLASSIFICATION else 1
    )
    settings = TrainingSettings(epochs=10)
    trainer = Trainer(partial(model.make, model.params(), shape), settings)
    asked = {plugin.name: (plugin.make(plugin.params()), plugin.features(plugin.params())) for plugin in samplers}
    for number, size in enumerate((work.sizes[0], *work.sizes)):
        train = synthetic(size + work.labeled, work.task, work.seed)
        pool = Pool(train.ids).draw(work.labeled, stream(work.seed, "pool"))
        labeled = Oracle(train).reveal(pool)
        fitted = trainer.fit(labeled, work.seed)
        for name, (sampler, features) in asked.items():
            answer = ask(
                sampler,
                fitted,
                train.inputs,
                labeled,
                pool,
                size=work.budget,
                cycle=0,
                cycles=1,
                seed=work.seed,
                batch=settings.inference_batch,
                features=features,
                who=name,
            )
            if number > 0:
                yield Point(sampler=name, size=size, cost=answer.cost)


def synthetic(n: int, task: Task, seed: int) -> Samples:
    """n made-up samples whose modalities share a class, or a value, and disagree by noise."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, CLASSES, n)
    arrays = {}
    for modality, features in MODALITIES.items():
        centers = rng.normal(size=(CLASSES, features)).astype(np.float32)
        arrays[modality] = centers[classes] + rng.normal(size=(n, features)).astype(np.float32)
    labels = classes if task == Task.CLASSIFICATION else (classes / CLASSES).astype(np.float32)
    width = len(str(n))
    return Samples(inputs=Inputs(ids=tuple(f"{i:0{width}d}" for i in range(n)), arrays=arrays), labels=labels)


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """b of the least-squares fit value = a · size^b on logarithmic axes; NaN for fewer than two points."""
    if len(sizes) < 2:
        return float("nan")
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])
