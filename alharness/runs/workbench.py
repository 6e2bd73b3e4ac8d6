"""Everything that the cells of a seed share: split, initial pool, trainer, oracle, test."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.model import ModelPlugin, ModelShape
from alharness.api.records import Schedule
from alharness.engine.loop import World
from alharness.engine.pool import Oracle, Pool
from alharness.engine.seeds import stream
from alharness.engine.soundness import require_splits
from alharness.engine.training import Trainer, choose_device
from alharness.errors import DataError, blaming

from .environment import versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import torch

    from alharness.api.dataset import Dataset
    from alharness.api.params import Params
    from alharness.api.samples import Samples, Splits
    from alharness.guard.border import Border
    from alharness.spec.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class Bench:
    """What the cells of one seed share.

    Attributes:
        world: oracle, test and schedule.
        trainer: builds and trains models.
        initial: the initial pool.
        context: digests of split and initial pool.
    """

    world: World
    trainer: Trainer
    initial: Pool
    context: Mapping[str, Any]

    @property
    def everything(self) -> tuple[World, Pool]:
        """The world of a reference: all labels of the pool from the beginning, and nothing to buy."""
        n = len(self.initial.ids)
        schedule = Schedule(initial_pool=n, sizes=())
        return replace(self.world, schedule=schedule), Pool(self.initial.ids, tuple(range(n)))


def suited(dataset: Dataset, model: ModelPlugin) -> Dataset:
    """The data set as the model wants it: pooled, or with its sequences."""
    return dataset.pooled() if model.inputs == "pooled" else dataset


class Workbench:
    """Sets up a bench per seed; keeps the last one, since cells come seed by seed.

    Args:
        dataset: as the model wants it; see `suited`.
        model: the model.
        params: its parameters.
        settings: how it is trained.
        schedule: labels per cycle.
        border: around the model's code.
    """

    def __init__(
        self,
        dataset: Dataset,
        model: ModelPlugin,
        params: Params,
        settings: TrainingSettings,
        schedule: Schedule,
        *,
        border: Border | None = None,
    ) -> None:
        self._dataset, self._border = dataset, border
        self._model, self._params = model, params
        self._settings, self._schedule = settings, schedule
        self._bench: Bench | None = None
        self.device: torch.device = choose_device(settings.device)
        self.context: Mapping[str, Any] = {
            "data": dataset.digest,
            "device": self.device.type,
            "versions": versions(),
        }

    def validating(self, available: int) -> int:
        """How many of the available validation samples stop a training."""
        kind, _, number = self._settings.valid.partition(":")
        return {"none": 0, "full": available}[kind] if not number else int(number)

    def bench(self, seed: int) -> Bench:
        """The bench of this seed."""
        if self._bench is None or self._bench.world.seed != seed:
            self._bench = self._set_up(seed)
        return self._bench

    def seed_context(self, seed: int) -> Mapping[str, Any]:
        """Digests of split and initial pool of a seed; makes no model."""
        return _seed_context(*self._draw(seed))

    def _draw(self, seed: int) -> tuple[Splits, Pool]:
        with blaming("the data set", DataError):
            splits = self._dataset.split(stream(seed, "split"))
            require_splits(splits)
        for part in (splits.train, splits.valid, splits.test):
            part.protect()  # all cells of this process read them
        return splits, Pool(splits.train.ids).draw(self._schedule.initial_pool, stream(seed, "pool"))

    def _set_up(self, seed: int) -> Bench:
        splits, initial = self._draw(seed)
        train = splits.train
        shape = ModelShape(
            features={m: x.shape[-1] for m, x in train.inputs.arrays.items()},
            task=self._dataset.task,
            outputs=len(self._dataset.classes) or 1,
            steps={m: x.shape[1] for m, x in train.inputs.arrays.items() if x.ndim == 3},
        )
        valid = validation(splits.valid, self._settings.valid, seed)
        return Bench(
            world=World(
                oracle=Oracle(train),
                test=splits.test,
                schedule=self._schedule,
                seed=seed,
                batch=self._settings.inference_batch,
                metrics=self._dataset.measured_by,
                classes=self._dataset.classes,
            ),
            trainer=Trainer(
                partial(self._model.make, self._params, shape),
                self._settings,
                valid,
                self._dataset.measured_by,
                self._border,
                self._dataset.classes,
            ),
            initial=initial,
            context=_seed_context(splits, initial),
        )


def validation(valid: Samples, wish: str, seed: int) -> Samples | None:
    """The validation samples for `full`, `none` or `budgeted:n`.

    Raises:
        DataError: there are none, or fewer than n.
    """
    if wish == "none":
        return None
    if len(valid) == 0:
        raise DataError("the data set has no validation samples; set training.valid to none")
    if wish == "full":
        return valid
    size = int(wish.partition(":")[2])
    if size > len(valid):
        raise DataError(f"training.valid: {wish} asks for more than the {len(valid)} validation samples there are")
    return valid.take(np.sort(stream(seed, "validation").permutation(len(valid))[:size]))


def _seed_context(splits: Splits, initial: Pool) -> dict[str, Any]:
    parts = {"train": splits.train, "valid": splits.valid, "test": splits.test}
    return {
        "split": {name: _digest(part.ids) for name, part in parts.items()},
        "initial_pool": _digest(initial.ids[i] for i in initial.labeled),
    }


def _digest(ids: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]
