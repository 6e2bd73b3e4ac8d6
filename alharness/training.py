"""Training a task model from scratch, the same recipe for everybody."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from .batches import as_batch
from .errors import DataError, Diverged
from .features import FUSED, Scoring
from .measure import Meter
from .metrics import LOWER_IS_BETTER, PRIMARY, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import Tensor
    from torch.optim import Optimizer

    from .data import Samples
    from .features import Task
    from .model import Batch, MultimodalModel
    from .settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A trained model, in evaluation mode, its parameters frozen.

    Attributes:
        model: the model with the weights of its best epoch.
        device: where it lies.
        epochs: epochs trained.
        cost: `train_seconds` and the other figures of `measure.Meter`, each with the prefix `train_`.
    """

    model: MultimodalModel
    device: torch.device
    epochs: int
    cost: Mapping[str, float] = field(default_factory=dict)

    @property
    def task(self) -> Task:
        """What the model predicts."""
        return self.model.shape.task


class Trainer:
    """Builds and trains models of one kind with one recipe; knows the validation samples, never the test.

    Args:
        build: makes a model with fresh weights.
        settings: the recipe.
        valid: validation samples; None trains every epoch.
        scoring: how predictions of the validation samples are scored; None for the metrics of the task.
    """

    def __init__(
        self,
        build: Callable[[], MultimodalModel],
        settings: TrainingSettings,
        valid: Samples | None,
        scoring: Scoring | None = None,
    ) -> None:
        self._build = build
        self._settings = settings
        self._scoring = scoring
        self.device = choose_device(settings.device)
        self._valid = as_batch(valid, self.device) if valid is not None else None

    def initialize(self, seed: int) -> MultimodalModel:
        """A model with the fresh weights of this seed, on the device. Leaves the global generators alone."""
        with seeded(seed, self.device):
            return self._build().to(self.device)

    def fit(self, labeled: Samples, seed: int) -> Fitted:
        """Train from scratch on these samples. Raises Diverged where the loss is no longer finite."""
        settings = self._settings
        with Meter(self.device) as meter, seeded(seed, self.device), threads(settings.threads):
            model = self._build().to(self.device)
            batch = as_batch(labeled, self.device)
            model.adapt(batch)
            optimizer = make_optimizer(model, settings)
            schedule = model.schedule(optimizer)
            best = _Best(settings.patience)
            epoch = 0
            for epoch in range(1, settings.epochs + 1):
                model.train()
                total = torch.zeros((), device=self.device)
                # Drawn on the CPU, whose generator gives the same order whatever the device; gathered once.
                shuffled = batch.take(torch.randperm(len(labeled)).to(self.device))
                for part in shuffled.parts(settings.batch_size):
                    loss = model.loss(part)
                    optimizer.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimizer.step()
                    total += loss.detach()
                if not math.isfinite(total.item()):
                    raise Diverged(
                        f"the training loss became {total.item()} in epoch {epoch} on {len(labeled)} labels; "
                        "a smaller training.learning_rate may help"
                    )
                if schedule is not None:
                    schedule.step()
                if self._valid is not None and best.enough(self._score(model, self._valid), model):
                    break
            best.restore(model)
            freeze(model)
        cost = {f"train_{name}": value for name, value in meter.cost.items()}
        return Fitted(model=model, device=self.device, epochs=epoch, cost=cost)

    def _score(self, model: MultimodalModel, valid: Batch) -> float:
        size = self._settings.inference_batch
        if self._settings.stop_on == "loss":
            return -validation_loss(model, valid, size)
        return validation_score(model, valid, self._scoring or Scoring(model.shape.task.value), size)


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
            self._weights = {name: value.clone() for name, value in model.state_dict().items()}
        else:
            self._waited += 1
        return self._waited >= self._patience

    def restore(self, model: MultimodalModel) -> None:
        if self._weights:
            model.load_state_dict(self._weights)


def choose_device(wish: str) -> torch.device:
    """The device for `auto`, `cpu` or `cuda`. Raises DataError where there is no such device."""
    if wish == "auto":
        wish = "cuda" if torch.cuda.is_available() else "cpu"
    if wish == "cuda" and not torch.cuda.is_available():
        raise DataError("training.device: no CUDA device is available here; use `cpu` or `auto`")
    return torch.device(wish)


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
def validation_score(model: MultimodalModel, valid: Batch, scoring: Scoring, size: int) -> float:
    """The primary metric of the fused head, larger being better; `size` samples at a time."""
    model.eval()
    predictions = torch.cat([model(part)[FUSED] for part in valid.parts(size)]).cpu().numpy()
    name = PRIMARY[scoring]
    score = evaluate(scoring, predictions, valid.labels[FUSED].cpu().numpy())[name]
    return -score if name in LOWER_IS_BETTER else score


@torch.no_grad()
def validation_loss(model: MultimodalModel, valid: Batch, size: int) -> float:
    """The model's loss over all heads, averaged over the samples, `size` of them at a time."""
    model.eval()
    losses = [model.loss(part) * len(part) for part in valid.parts(size)]
    return torch.stack(losses).sum().item() / len(valid)


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
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """torch's global generators seeded inside, and put back afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
