"""Training task models from scratch, all by the same recipe."""

from __future__ import annotations

import math
import warnings
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from alharness.api.metrics import metrics_of
from alharness.api.network import MultimodalModel
from alharness.api.outputs import require_loss, require_number, require_predictions
from alharness.api.vocabulary import FUSED
from alharness.errors import DataError, Diverged, ModelError, text_of
from alharness.guard import fingerprint
from alharness.guard.border import Border
from alharness.guard.trait import listed
from alharness.kernels.flat import flatten

from .batches import as_batch, storage_device
from .measure import Meter
from .metrics import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor
    from torch.optim import Optimizer

    from alharness.api.metrics import Metrics
    from alharness.api.network import Batch
    from alharness.api.samples import Samples
    from alharness.api.vocabulary import Task
    from alharness.spec.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A trained model, in evaluation mode, its parameters frozen.

    Attributes:
        model: the model with the weights of its best epoch.
        device: the device of the model.
        epochs: epochs trained.
        cost: `train_seconds` and the other figures of `measure.Meter`, each with the prefix `train_`.
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
class Validation:
    """Validation samples, ready for training; all trainings of a seed share them.

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


class Trainer:
    """Builds and trains models of one kind with one recipe.

    Args:
        build: makes a model with fresh weights.
        settings: the recipe.
        metrics: what is measured on validation samples; None for the metrics of the task.
        classes: names of the classes, in the order of the label indices; empty for regression.
        border: around the model's code; see `model_border`.
    """

    def __init__(
        self,
        build: Callable[[], MultimodalModel],
        settings: TrainingSettings,
        metrics: Metrics | None = None,
        border: Border | None = None,
        classes: tuple[str, ...] = (),
    ) -> None:
        self._build = build
        self.border = border or model_border("the model")
        self._settings = settings
        self._metrics, self._classes = metrics, classes
        self.device = choose_device(settings.device)
        # Dropped at once: what a first model and a first optimizer import and set up is no training's time.
        model = self.initialize(0)
        with self.border.crossed():
            make_optimizer(model, settings)

    def initialize(self, seed: int) -> MultimodalModel:
        """A model with the fresh weights of this seed, on the device. Leaves the global generators alone."""
        with self.border.crossed(), seeded(seed, self.device):
            return self._made().to(self.device)

    def validation(self, samples: Samples) -> Validation:
        """Validation samples for `Fit`."""
        batch = as_batch(samples, storage_device(samples, self.device))
        return Validation(batch=batch, contents=fingerprint.of_tensors(batch.tensors))

    def fit(self, labeled: Samples, seed: int, valid: Validation | None = None) -> Fitted:
        """Train one model; see `Fit`. Raises Diverged if the loss is no longer finite."""
        return self._train(Fit(labeled=labeled, seed=seed, valid=valid))

    def fit_many(self, requests: Sequence[Fit]) -> list[Fitted | BaseException]:
        """Train a model for each request, as if it were the only one.

        Returns:
            For each request its model, or what was raised: one that fails takes no other along.
        """
        found: list[Fitted | BaseException] = []
        for request in requests:
            try:
                found.append(self._train(request))
            except BaseException as error:  # noqa: BLE001 - it belongs to the cell that asked
                found.append(error)
        return found

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

    def _train(self, request: Fit) -> Fitted:
        settings, labeled, valid = self._settings, request.labeled, request.valid
        precision = rounding(settings.precision)
        bought = checksums(labeled)
        with (
            self.border.crossed("training"),
            Meter(self.device) as meter,
            seeded(request.seed, self.device),
            threads(settings.threads),
            precision,
        ):
            samples = as_batch(labeled, storage_device(labeled, self.device))
            model = self._made().to(samples.device)
            model.adapt(samples)
            samples = _prepared(samples, model)
            score = self._score(model, valid)
            model.to(self.device)
            optimizer = make_optimizer(model, settings)
            gradients = flatten(optimizer)
            schedule = model.schedule(optimizer)
            best = _Best(settings.patience)
            epoch = 0
            for epoch in range(1, settings.epochs + 1):
                model.train()
                total = torch.zeros((), device=self.device)
                # Drawn on the CPU, whose generator gives the same order whatever the device.
                order = torch.randperm(len(labeled)).to(samples.device)
                for rows in torch.split(order, settings.batch_size):
                    batch = samples.take(rows).to(self.device)
                    _zero(gradients, optimizer)
                    total += _differentiate(model, batch, settings.precision)
                    optimizer.step()
                # The only place in an epoch, other than validation, that waits for an accelerator.
                if not math.isfinite(total.item()):
                    raise Diverged(
                        f"the training loss became {total.item()} in epoch {epoch} on {len(labeled)} labels; "
                        "a smaller training.learning_rate may help"
                    )
                if schedule is not None:
                    schedule.step()
                if score is not None and best.enough(score(), model):
                    break
            best.restore(model)
            freeze(model)
        with self.border.blamed("training"):
            _require_same("the labels that were bought", bought, checksums(labeled))
            if valid is not None:
                _require_same(
                    "the validation samples", valid.contents, fingerprint.of_tensors(valid.batch.tensors)
                )
        cost = {f"train_{name}": value for name, value in meter.cost.items()}
        return Fitted(model=model, device=self.device, epochs=epoch, cost=cost, border=self.border)

    def _made(self) -> MultimodalModel:
        model = self._build()
        if not isinstance(model, MultimodalModel):
            raise ModelError(f"its plugin made {type(model).__name__}, expected a MultimodalModel")
        return model

    def _score(self, model: MultimodalModel, valid: Validation | None) -> Callable[[], float] | None:
        """How good the model is by the validation samples, larger being better; None without any."""
        if valid is None:
            return None
        size = self._settings.inference_batch
        if self._settings.stop_on == "loss":
            prepared = _prepared(valid.batch, model)
            return lambda: -validation_loss(model, prepared, size)
        metrics = self._metrics or metrics_of(model.shape.task)
        return partial(validation_score, model, valid.batch, metrics, size, self._classes)


class _Best:
    """The weights of the best epoch so far, and how long ago that was."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._score = -math.inf
        self._waited = 0
        self._weights: dict[str, Tensor] = {}

    def enough(self, score: float, model: MultimodalModel) -> bool:
        """Note an epoch's score, larger being better; True when patience is at its end."""
        if score > self._score:
            self._score, self._waited = score, 0
            self._keep(model.state_dict())
        else:
            self._waited += 1
        return self._waited >= self._patience

    def restore(self, model: MultimodalModel) -> None:
        """Put the weights of the best epoch back."""
        if self._weights:
            model.load_state_dict(self._weights)

    def _keep(self, weights: Mapping[str, Tensor]) -> None:
        if self._weights:
            for name, value in weights.items():
                self._weights[name].copy_(value)
        else:
            self._weights = {name: value.clone() for name, value in weights.items()}


def stored(fitted: Fitted) -> bytes:
    """A model as bytes, from which `Trainer.restore` makes it again."""
    content = BytesIO()
    weights = {name: value.cpu() for name, value in fitted.model.state_dict().items()}
    torch.save({"weights": weights, "epochs": fitted.epochs, "cost": dict(fitted.cost)}, content)
    return content.getvalue()


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


def choose_device(wish: str) -> torch.device:
    """The device for `auto`, `cpu` or `cuda`. Raises DataError if there is no such device."""
    if wish == "auto":
        wish = "cuda" if torch.cuda.is_available() else "cpu"
    if wish == "cuda" and not torch.cuda.is_available():
        raise DataError("training.device: no CUDA device is available here; use `cpu` or `auto`")
    backends: Any = torch.backends
    backends.fp32_precision = "ieee"  # by itself torch takes TF32 in cuDNN
    # With its number, as tensors have it: without, it would be equal to the device of none.
    return torch.device(wish, torch.cuda.current_device()) if wish == "cuda" else torch.device(wish)


def freeze(model: MultimodalModel) -> None:
    """Evaluation mode, and no gradients into the parameters: samplers differentiate with respect to z only."""
    model.eval()
    model.requires_grad_(requires_grad=False)
    model.zero_grad()


def make_optimizer(model: MultimodalModel, settings: TrainingSettings) -> Optimizer:
    """The model's own optimizer, with what the settings put in place of its recipe."""
    optimizer = model.optimizer()
    asked = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    for group in optimizer.param_groups:
        group.update({name: value for name, value in asked.items() if value is not None})
    return optimizer


@torch.no_grad()
def validation_score(
    model: MultimodalModel, valid: Batch, metrics: Metrics, size: int, classes: tuple[str, ...] = ()
) -> float:
    """The primary metric of the fused head, larger being better; `size` samples at a time."""
    model.eval()
    found = []
    for part in _parts(valid, size, model):
        outputs = model(part)
        require_predictions(outputs, len(part), model.shape)
        found.append(outputs[FUSED])
    predictions = torch.cat(found).cpu().numpy()
    score = evaluate(metrics, predictions, valid.labels[FUSED].cpu().numpy(), classes)[metrics.primary]
    return -score if metrics.primary in metrics.lower_is_better else score


@torch.no_grad()
def validation_loss(model: MultimodalModel, valid: Batch, size: int) -> float:
    """The model's loss over all heads, averaged over the prepared samples, `size` of them at a time."""
    model.eval()
    losses = [model.loss(part) * len(part) for part in _parts(valid, size, model)]
    return torch.stack(losses).sum().item() / len(valid)


def _differentiate(model: MultimodalModel, batch: Batch, precision: str) -> Tensor:
    """As the model's; in mixed precision always by torch, which knows what was rounded."""
    if precision != "bfloat16":
        loss = model.differentiate(batch)
        require_number("differentiate", loss)
        return loss
    with torch.autocast(batch.device.type, torch.bfloat16):
        loss = model.loss(batch)
    require_loss(loss)
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


def checksums(labeled: Samples) -> dict[str, int]:
    """Of labels, which a training and the query after it share; inputs are copied for every training."""
    named = {"labels": labeled.labels, **{f"labels of {m}": y for m, y in labeled.unimodal_labels.items()}}
    return {name: zlib.crc32(np.ascontiguousarray(y).data) if len(y) else 0 for name, y in named.items()}


def _require_same(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    if changed := fingerprint.differences(before, after):
        raise ModelError(f"it wrote to {what} ({listed(changed)}), which others read too; change a copy")


def model_border(culprit: str, warn: Callable[[str], None] = warnings.warn) -> Border:
    """Around the code of a task model; a training may diverge in it."""
    return Border(culprit, ModelError, warn, passing=(Diverged,))


def _zero(gradients: list[Tensor], optimizer: Optimizer) -> None:
    if not gradients:
        optimizer.zero_grad()
    for gradient in gradients:
        gradient.zero_()


def _prepared(samples: Batch, model: MultimodalModel) -> Batch:
    return model.to(samples.device).prepare(samples)


def _parts(samples: Batch, size: int, model: MultimodalModel) -> Iterator[Batch]:
    device = next(model.parameters()).device
    return (part.to(device) for part in samples.parts(size))


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Work of torch on the CPU spread over this many threads inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def rounding(precision: str) -> Iterator[None]:
    """Products of float32 numbers rounded to TF32 inside, if that is the precision and the device can."""
    backends: Any = torch.backends
    before = backends.fp32_precision
    if precision == "tf32":
        backends.fp32_precision = "tf32"
    try:
        yield
    finally:
        backends.fp32_precision = before


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """torch's global generators seeded inside, and put back afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
