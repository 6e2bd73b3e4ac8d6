"""How the cost of a query grows with the pool: samplers on synthetic pools of several sizes."""

from __future__ import annotations

import atexit
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from alharness.api.samples import Inputs, Samples
from alharness.api.vocabulary import ModelShape, Task
from alharness.engine.parts import ModelRows, PartWorker, Request, select_in_parts
from alharness.engine.pool import Oracle, Pool
from alharness.engine.recipe import freeze
from alharness.engine.seeds import stream
from alharness.engine.selection import ask
from alharness.engine.training import Trainer
from alharness.errors import SamplerError
from alharness.spec.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from alharness.api.executor import Held
    from alharness.api.model import ModelPlugin
    from alharness.api.network import MultimodalModel
    from alharness.api.sampler import SamplerPlugin

MODALITIES = {"text": 64, "audio": 32, "vision": 32}
"""Modalities of the synthetic pool and their numbers of features."""
CLASSES = 7
BLOCK = 2**16
"""Samples of a part that are made at once."""

Precision = Literal["float16", "float32"]
"""Of inputs as they are stored."""


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

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names; empty for regression."""
        return tuple(map(str, range(CLASSES))) if self.task == Task.CLASSIFICATION else ()


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


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A sampler that could not answer, and is asked no more."""

    sampler: str
    size: int
    reason: str


def measure(samplers: Sequence[SamplerPlugin], model: ModelPlugin, work: Workload) -> Iterator[Point | Failure]:
    """Query every sampler at every size, small pools first, one query at a time.

    The model is trained briefly on the labeled samples, so that its predictions are neither uniform nor certain.
    Before the first figure each sampler is asked once, unmeasured: imports and buffers are not the pool's doing.
    """
    shape = ModelShape(features=MODALITIES, task=work.task, outputs=len(work.classes) or 1)
    settings = TrainingSettings(epochs=10)
    trainer = Trainer(partial(model.make, model.params(), shape), settings)
    asked = {plugin.name: (plugin.make(plugin.params()), plugin.features(plugin.params())) for plugin in samplers}
    for number, size in enumerate((work.sizes[0], *work.sizes)):
        train = synthetic(size + work.labeled, work.task, work.seed)
        pool = Pool(train.ids).draw(work.labeled, stream(work.seed, "pool"))
        labeled = Oracle(train).reveal(pool)
        fitted = trainer.fit(labeled, work.seed)
        for name, (sampler, features) in [*asked.items()]:
            try:
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
                    classes=work.classes,
                    who=name,
                )
            except SamplerError as error:
                del asked[name]
                yield Failure(sampler=name, size=size, reason=str(error).removeprefix(f"{name}: "))
                continue
            if number > 0:
                yield Point(sampler=name, size=size, cost=answer.cost)


def measure_in_parts(
    samplers: Sequence[SamplerPlugin],
    model: ModelPlugin,
    work: Workload,
    hold: Callable[[Sequence[Callable[[], PartWorker]]], AbstractContextManager[Held]],
    *,
    parts: int,
    precision: Precision,
) -> Iterator[Point]:
    """As `measure`, of pools in parts, whose inputs workers make and store on their own disks.

    Args:
        samplers: which have pools in parts.
        model: of the features.
        work: what every query is asked.
        hold: makes workers that hold the parts.
        parts: how many.
        precision: of the stored inputs.
    """
    shape = ModelShape(features=MODALITIES, task=work.task, outputs=len(work.classes) or 1)
    settings = TrainingSettings(epochs=10, device="cpu")
    labeled = SyntheticPart(work.labeled, 0, work.task, work.seed).samples()
    trainer = Trainer(partial(model.make, model.params(), shape), settings)
    fitted = trainer.fit(labeled, work.seed)
    freeze(fitted.model)
    made = [(plugin, plugin.params()) for plugin in samplers]
    requests = [
        Request(
            sampler=plugin.make(params),
            size=work.budget,
            features=plugin.features(params),
            task=work.task,
            seed=work.seed,
            who=plugin.name,
            classes=work.classes,
        )
        for plugin, params in made
    ]
    for size in work.sizes:
        cuts = [size // parts + (number < size % parts) for number in range(parts)]
        sources = [SyntheticPart(n, i, work.task, work.seed) for i, n in enumerate(cuts, 1)]
        batch = settings.inference_batch
        with hold(
            [partial(PartWorker, partial(s.rows, fitted.model, labeled, batch, precision)) for s in sources]
        ) as workers:
            for request in requests:
                answer = select_in_parts(request, workers)
                if size == work.sizes[0]:  # imports and buffers are not the pool's doing
                    answer = select_in_parts(request, workers)
                yield Point(sampler=request.who, size=size, cost=answer.cost)


@dataclass(frozen=True)
class SyntheticPart:
    """A part of a made-up pool. Parts share the classes; each draws its own samples.

    Attributes:
        size: samples.
        number: of the part; 0 are the labeled samples.
        task: classification with seven classes, or regression.
        seed: of the pool.
    """

    size: int
    number: int
    task: Task
    seed: int

    def rows(self, model: MultimodalModel, labeled: Samples, batch: int, precision: Precision) -> ModelRows:
        """Write the inputs to files of this machine, and map them. The files last as long as the process."""
        folder = TemporaryDirectory(prefix="alharness-pool-")
        atexit.register(folder.cleanup)
        width = len(str(self.size))
        arrays: dict[str, NDArray[Any]] = {}
        files = {m: Path(folder.name) / f"{m}.npy" for m in MODALITIES}
        stored = {
            m: np.lib.format.open_memmap(path, "w+", precision, (self.size, MODALITIES[m]))
            for m, path in files.items()
        }
        for start in range(0, self.size, BLOCK):
            _, made = self._drawn(start, min(BLOCK, self.size - start))
            for modality, values in made.items():
                stored[modality][start : start + BLOCK] = values
        stored.clear()
        arrays = {m: np.load(path, mmap_mode="r") for m, path in files.items()}
        ids = tuple(f"{self.number}-{i:0{width}d}" for i in range(self.size))
        return ModelRows(model, Inputs(ids=ids, arrays=arrays), labeled, batch)

    def samples(self) -> Samples:
        """All of them, in memory, with their labels."""
        classes, arrays = self._drawn(0, self.size)
        labels = classes if self.task == Task.CLASSIFICATION else (classes / CLASSES).astype(np.float32)
        width = len(str(self.size))
        return Samples(
            inputs=Inputs(ids=tuple(f"{i:0{width}d}" for i in range(self.size)), arrays=arrays), labels=labels
        )

    def _drawn(self, start: int, n: int) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
        """Classes and inputs of n samples."""
        rng = np.random.default_rng([self.seed, self.number, start])
        classes = rng.integers(0, CLASSES, n)
        shared = np.random.default_rng(self.seed)
        arrays = {}
        for modality, features in MODALITIES.items():
            centers = shared.normal(size=(CLASSES, features)).astype(np.float32)
            arrays[modality] = centers[classes] + rng.standard_normal((n, features), dtype=np.float32)
        return classes, arrays


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
