"""From a data set and a model to what cells are run with: the trainer, and what the cells of each seed share."""

from __future__ import annotations

import hashlib
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.vocabulary import ModelShape
from alharness.engine.contexts import choose_device
from alharness.engine.loop import SeedData
from alharness.engine.pool import Oracle, Pool
from alharness.engine.seeds import stream
from alharness.engine.soundness import require_splits
from alharness.engine.training import Trainer
from alharness.errors import DataError, blaming

from .environment import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    import torch

    from alharness.api.dataset import Dataset
    from alharness.api.model import ModelPlugin
    from alharness.api.params import Params
    from alharness.api.records import Schedule
    from alharness.api.samples import Inputs, Samples, Splits
    from alharness.engine.selection import CheckedSelection
    from alharness.guard.border import Border
    from alharness.spec.settings import TrainingSettings

    Chooser = Callable[..., CheckedSelection]  # `engine.initial.choose` of a sampler


def pool_if_needed(dataset: Dataset, model: ModelPlugin) -> Dataset:
    """The data set as the model wants it: pooled, or with its sequences."""
    return dataset.pooled() if model.inputs == "pooled" else dataset


class Setup:
    """What cells are run with.

    Args:
        dataset: as the model wants it; see `pool_if_needed`.
        model: the model.
        params: its parameters.
        settings: how it is trained.
        schedule: labels per cycle.
        border: around the model's code.
        stack: most models that are trained together; None for as many as the memory holds.
        device: of models; None for the one that the settings take on this machine. One of another machine serves
            only to say what numbers depend on.
        initial: chooses the initial pool; None draws it at random.

    Attributes:
        device: of models.
        context: what the numbers of every cell depend on: digest of the data, device, versions.
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
        stack: int | None = None,
        device: torch.device | None = None,
        initial: Chooser | None = None,
    ) -> None:
        self._dataset, self._border, self._stack = dataset, border, stack
        self._model, self._params = model, params
        self._settings, self._schedule = settings, schedule
        self._initial = initial
        self._known: dict[int, SeedData] = {}
        self.device: torch.device = device or choose_device(settings.device)
        self.context: dict[str, Any] = {
            "data": dataset.digest,
            "device": self.device.type,
            "versions": versions(),
        }

    @cached_property
    def trainer(self) -> Trainer:
        """Trains the models of all seeds."""
        arrays = next(iter(self._dataset.parts.values())).inputs.arrays
        shape = ModelShape(
            features={m: x.shape[-1] for m, x in arrays.items()},
            task=self._dataset.task,
            outputs=len(self._dataset.classes) or 1,
            steps={m: x.shape[1] for m, x in arrays.items() if x.ndim == 3},
        )
        return Trainer(
            partial(self._model.make, self._params, shape),
            self._settings,
            self._dataset.measured_by,
            self._border,
            self._dataset.classes,
            self._stack,
        )

    def keep_only(self, seeds: Collection[int]) -> None:
        """Forget what is known of other seeds."""
        self._known = {seed: data for seed, data in self._known.items() if seed in seeds}

    def seed_data(self, seed: int, chosen: Sequence[str] = ()) -> SeedData:
        """What the cells of a seed share; `chosen` as in `draw`."""
        if seed not in self._known:
            self._known[seed] = self._make(seed, chosen)
        return self._known[seed]

    def draw(self, seed: int, chosen: Sequence[str] = ()) -> tuple[Splits, Pool, dict[str, Any]]:
        """The split of a seed, its initial pool, and what the numbers of its cells depend on.

        Args:
            seed: which.
            chosen: ids of the initial pool, if a sampler has chosen it already.

        Raises:
            DataError: a part of the split is empty.
            SamplerError: the sampler that is to choose the initial pool cannot.
        """
        with blaming("the data set", DataError):
            splits = self._dataset.split(stream(seed, "split"))
            require_splits(splits)
        parts = {"train": splits.train, "valid": splits.valid, "test": splits.test}
        for part in parts.values():
            part.protect()  # all cells of this process read them
        initial = self._initial_pool(splits.train.inputs, seed, chosen)
        context = {
            **self.context,
            "split": {name: _digest(part.ids) for name, part in parts.items()},
            "initial_pool": _digest(initial.ids[i] for i in initial.labeled),
        }
        return splits, initial, context

    def _initial_pool(self, inputs: Inputs, seed: int, chosen: Sequence[str]) -> Pool:
        pool, size = Pool(inputs.ids), self._schedule.initial_pool
        if chosen:
            return pool.replay([chosen])
        if self._initial is None:
            return pool.draw(size, stream(seed, "pool"))
        data = self._dataset
        found = self._initial(inputs, size=size, seed=seed, task=data.task, classes=data.classes)
        return pool.label(found.positions)

    def _make(self, seed: int, chosen: Sequence[str]) -> SeedData:
        splits, initial, context = self.draw(seed, chosen)
        trainer = self.trainer  # a model that cannot be made fails here, for each cell
        valid = validation(splits.valid, self._settings.valid, seed)
        return SeedData(
            seed=seed,
            oracle=Oracle(splits.train),
            initial=initial,
            valid=None if valid is None else trainer.validation(valid),
            test=splits.test,
            schedule=self._schedule,
            batch=self._settings.inference_batch,
            metrics=self._dataset.measured_by,
            classes=self._dataset.classes,
            context=context,
        )


def count_validation(wish: str, available: int) -> int:
    """How many validation samples `full`, `none` or `budgeted:n` asks for."""
    return {"none": 0, "full": available}[wish] if ":" not in wish else int(wish.partition(":")[2])


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
    size = count_validation(wish, len(valid))
    if size > len(valid):
        raise DataError(f"training.valid: {wish} asks for more than the {len(valid)} validation samples there are")
    return valid.take(np.sort(stream(seed, "validation").permutation(len(valid))[:size]))


def _digest(ids: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]
