"""How models are trained: what a training by itself and one in a stack have in common."""

from __future__ import annotations

import warnings
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.metrics import metrics_of
from alharness.api.network import MultimodalModel
from alharness.api.vocabulary import FUSED
from alharness.errors import Diverged, ModelError
from alharness.guard import fingerprint
from alharness.guard.border import Border
from alharness.guard.trait import listed

from .batches import as_batch, storage_device
from .metrics import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import torch
    from torch import Tensor
    from torch.optim import Optimizer

    from alharness.api.metrics import Metrics
    from alharness.api.network import Batch
    from alharness.api.samples import Samples
    from alharness.api.vocabulary import Task
    from alharness.spec.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class Validation:
    """Validation samples, ready for training; trainings with equal ones share them.

    Attributes:
        batch: the samples.
        contents: what they hold, so that a write to them is found.
    """

    batch: Batch
    contents: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A request to train a model from scratch.

    Attributes:
        labeled: the samples to train on.
        seed: of weights, batches and dropout.
        valid: stops the training; None trains every epoch.
        cycle: the cycle that asks.
    """

    labeled: Samples
    seed: int
    valid: Validation | None = None
    cycle: int = 0


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A trained model, in evaluation mode, its parameters frozen.

    Attributes:
        model: the model with the weights of its best epoch.
        device: the device of the model.
        epochs: epochs trained.
        cost: `train_seconds` and the other figures of `measure.Meter`, each with the prefix `train_`, and
            `train_stacked`, the number of models that were trained together if it was trained in a stack.
        border: around the model's code.
    """

    model: MultimodalModel
    device: torch.device
    epochs: int
    cost: Mapping[str, float] = field(default_factory=dict)
    border: Border = field(default_factory=lambda: model_border("the model"))

    @property
    def task(self) -> Task:
        """What the model predicts."""
        return self.model.shape.task


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """How models of one kind are trained.

    Attributes:
        build: makes a model with fresh weights.
        settings: of the spec.
        device: of the models.
        border: around the model's code.
        metrics: what is measured on validation samples; None for the metrics of the task.
        classes: names of the classes, in the order of the label indices; empty for regression.
    """

    build: Callable[[], MultimodalModel]
    settings: TrainingSettings
    device: torch.device
    border: Border
    metrics: Metrics | None = None
    classes: tuple[str, ...] = ()

    def made(self) -> MultimodalModel:
        """A model with weights from the global generator."""
        model = self.build()
        if not isinstance(model, MultimodalModel):
            raise ModelError(f"its plugin made {type(model).__name__}, expected a MultimodalModel")
        return model

    def samples(self, request: Fit) -> Batch:
        """The labeled samples of a request, on the device that stores them."""
        return as_batch(request.labeled, storage_device(request.labeled, self.device))

    def begun(self, samples: Batch, adapted: Batch | None = None) -> tuple[MultimodalModel, Batch]:
        """A model with weights from the global generator, adapted to samples, and these samples, prepared.

        Args:
            samples: labeled ones.
            adapted: what the model is adapted to, if that is something else.
        """
        model = self.made().to(samples.device)
        model.adapt(samples if adapted is None else adapted)
        prepared = model.prepare(samples)
        return model.to(self.device), prepared

    def optimizer(self, model: MultimodalModel) -> Optimizer:
        """The model's own optimizer, with what the settings put in place of its recipe."""
        optimizer = model.optimizer()
        asked = {"lr": self.settings.learning_rate, "weight_decay": self.settings.weight_decay}
        for group in optimizer.param_groups:
            group.update({name: value for name, value in asked.items() if value is not None})
        return optimizer

    def validation_parts(self, valid: Validation, size: int) -> Iterator[Batch]:
        """Validation samples on the device, `size` of them at a time."""
        return (part.to(self.device) for part in valid.batch.parts(size))

    def score(self, predictions: Tensor, valid: Validation, task: Task) -> float:
        """The primary metric of fused predictions for validation samples, larger being better."""
        metrics = self.metrics or metrics_of(task)
        labels = valid.batch.labels[FUSED].cpu().numpy()
        score = evaluate(metrics, predictions.cpu().numpy(), labels, self.classes)[metrics.primary]
        return -score if metrics.primary in metrics.lower_is_better else score


def model_border(culprit: str, warn: Callable[[str], None] = warnings.warn) -> Border:
    """Around the code of a task model; a training may diverge in it."""
    return Border(culprit, ModelError, warn, passing=(Diverged,))


def freeze(model: MultimodalModel) -> None:
    """Evaluation mode, and no gradients into the parameters: samplers differentiate with respect to z only."""
    model.eval()
    model.requires_grad_(requires_grad=False)
    model.zero_grad()


def diverged(loss: float, epoch: int, labels: int) -> Diverged:
    """What a training ends with whose loss is no longer finite."""
    return Diverged(
        f"the training loss became {loss} in epoch {epoch} on {labels} labels; "
        "a smaller training.learning_rate may help"
    )


def checksums(labeled: Samples) -> dict[str, int]:
    """Of labels, which a training and the query after it share; inputs are copied for every training."""
    named = {"labels": labeled.labels, **{f"labels of {m}": y for m, y in labeled.unimodal_labels.items()}}
    return {name: zlib.crc32(np.ascontiguousarray(y).data) if len(y) else 0 for name, y in named.items()}


def require_unwritten(request: Fit, bought: Mapping[str, int]) -> None:
    """Raise ModelError if a training wrote to what others read too.

    Args:
        request: of the training.
        bought: `checksums` of its labels before.
    """
    _require_same("the labels that were bought", bought, checksums(request.labeled))
    if request.valid is not None:
        after = fingerprint.of_tensors(request.valid.batch.tensors)
        _require_same("the validation samples", request.valid.contents, after)


def _require_same(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    if changed := fingerprint.differences(before, after):
        raise ModelError(f"it wrote to {what} ({listed(changed)}), which others read too; change a copy")
