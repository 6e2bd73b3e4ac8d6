"""Training task models from scratch, all by the same recipe: as stacks, or one by one."""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import torch

from alharness.api.fitting import FittingModel
from alharness.errors import text_of
from alharness.guard import fingerprint

from .alone import train_alone
from .batches import as_batch, storage_device
from .contexts import choose_device, seeded
from .fitting import fit_themselves
from .recipe import Fit, Fitted, Recipe, Validation, freeze, model_border
from .stack.training import StackTrainer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alharness.api.metrics import Metrics
    from alharness.api.network import Batch, MultimodalModel
    from alharness.api.samples import Samples
    from alharness.guard.border import Border
    from alharness.spec.settings import TrainingSettings


class Trainer:
    """Builds and trains models of one kind with one recipe.

    Args:
        build: makes a model with fresh weights.
        settings: the recipe.
        metrics: what is measured on validation samples; None for the metrics of the task.
        classes: names of the classes, in the order of the label indices; empty for regression.
        border: around the model's code; see `model_border`.
        stack: most models that are trained together; None for as many as the memory holds.
    """

    def __init__(
        self,
        build: Callable[[], MultimodalModel],
        settings: TrainingSettings,
        metrics: Metrics | None = None,
        border: Border | None = None,
        classes: tuple[str, ...] = (),
        stack: int | None = None,
    ) -> None:
        self.border = border or model_border("the model")
        self.device = choose_device(settings.device)
        self._recipe = Recipe(
            build=build,
            settings=settings,
            device=self.device,
            border=self.border,
            metrics=metrics,
            classes=classes,
        )
        # Dropped at once: what a first model and a first optimizer import and set up is no training's time.
        model = self.initialize(0)
        self._fits_itself, self._together = isinstance(model, FittingModel), model.stackable
        self._validates = model.validates if isinstance(model, FittingModel) else True
        self._told: set[str] = set()
        if not self._fits_itself:
            with self.border.crossed():
                self._recipe.optimizer(model)
        self._stacks = StackTrainer(self._recipe, stack)
        self._validations: WeakSet[Validation] = WeakSet()

    def initialize(self, seed: int) -> MultimodalModel:
        """A model with the fresh weights of this seed, on the device. Leaves the global generators alone."""
        with self.border.crossed(), seeded(seed, self.device):
            return self._recipe.made().to(self.device)

    def validation(self, samples: Samples) -> Validation | None:
        """Validation samples for `Fit`: one object for equal ones, which a stack computes together.

        None for a model that does not read any.
        """
        if not self._validates:
            return None
        batch = as_batch(samples, storage_device(samples, self.device))
        for known in self._validations:
            if _equal(known.batch, batch):
                return known
        found = Validation(batch=batch, contents=fingerprint.of_tensors(batch.tensors))
        self._validations.add(found)
        return found

    def fit(self, labeled: Samples, seed: int, valid: Validation | None = None) -> Fitted:
        """Train one model; see `Fit`. Raises Diverged if the loss is no longer finite."""
        (found,) = self.fit_many([Fit(labeled=labeled, seed=seed, valid=valid)])
        if isinstance(found, BaseException):
            raise found
        return found

    def fit_many(self, requests: Sequence[Fit]) -> list[Fitted | BaseException]:
        """Train a model for each request, as if it were the only one.

        Those with as many labels are trained as stacks, if the model allows it.

        Returns:
            For each request its model, or what was raised: one that fails takes no other along.
        """
        found: dict[int, Fitted | BaseException] = {}
        equal: dict[int, list[int]] = {}
        for number, request in enumerate(requests):
            equal.setdefault(len(request.labeled), []).append(number)
        for numbers in equal.values():
            asked = [requests[number] for number in numbers]
            found.update(zip(numbers, self._train(asked), strict=True))
        return [found[number] for number in range(len(requests))]

    def restore(self, content: bytes, seed: int) -> Fitted:
        """The model that `stored` has made bytes of, with `train_reused` among its costs.

        Args:
            content: the bytes.
            seed: that it was trained with.

        Raises:
            ValueError: they hold something else.
        """
        try:
            found = torch.load(BytesIO(content), weights_only=True)
            cost, epochs = _costs(found)
        except Exception as error:
            raise ValueError(text_of(error)) from error
        model = self.initialize(seed)
        try:
            model.load_state_dict(found["weights"])
        except Exception as error:
            raise ValueError(text_of(error)) from error
        freeze(model)
        cost = {**cost, "train_reused": 1.0}
        return Fitted(model=model, device=self.device, epochs=epochs, cost=cost, border=self.border)

    def _train(self, requests: Sequence[Fit]) -> list[Fitted | BaseException]:
        """Models for as many labels each."""
        if self._fits_itself:
            return fit_themselves(self._recipe, requests, together=self._together, told=self._told)
        return self._stacks.train(requests) or [self._train_alone(request) for request in requests]

    def _train_alone(self, request: Fit) -> Fitted | BaseException:
        try:
            return train_alone(self._recipe, request)
        except BaseException as error:  # noqa: BLE001 - it belongs to the cell that asked
            return error


def stored(fitted: Fitted) -> bytes | None:
    """A model as bytes, from which `Trainer.restore` makes it again; None if it holds more than tensors."""
    if isinstance(fitted.model, FittingModel) and not fitted.model.storable:
        return None
    content = BytesIO()
    weights = {name: value.cpu() for name, value in fitted.model.state_dict().items()}
    torch.save({"weights": weights, "epochs": fitted.epochs, "cost": dict(fitted.cost)}, content)
    return content.getvalue()


def _equal(a: Batch, b: Batch) -> bool:
    x, y = a.tensors, b.tensors
    return x.keys() == y.keys() and all(x[name].device == y[name].device and x[name].equal(y[name]) for name in x)


def _costs(found: Any) -> tuple[dict[str, float], int]:
    """Costs and epochs of what was stored. Raises ValueError if they are none."""
    if not isinstance(found, dict) or found.keys() != {"weights", "epochs", "cost"}:
        raise ValueError("it holds something else")
    cost, epochs = found["cost"], found["epochs"]
    numbers = isinstance(cost, dict) and all(
        isinstance(name, str) and isinstance(value, (int, float)) and 0 <= value < math.inf
        for name, value in cost.items()
    )
    if not numbers or not isinstance(epochs, int) or epochs < 0:
        raise ValueError("its costs or epochs are no numbers")
    return cost, epochs
