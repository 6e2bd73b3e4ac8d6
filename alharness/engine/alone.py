"""Training a model by itself, with nothing asked of it: for models that cannot be trained as a stack."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import torch

from alharness.api.outputs import require_loss, require_number, require_predictions
from alharness.api.vocabulary import FUSED

from .contexts import rounding, seeded, threads
from .measure import Meter
from .recipe import Fitted, checksums, diverged, freeze, require_unwritten
from .stopping import Patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from alharness.api.network import Batch, MultimodalModel

    from .recipe import Fit, Recipe, Validation


def train_alone(recipe: Recipe, request: Fit) -> Fitted:
    """Train a model. Raises Diverged if the loss is no longer finite."""
    settings, labeled = recipe.settings, request.labeled
    bought = checksums(labeled)
    with (
        recipe.border.crossed("training"),
        Meter(recipe.device) as meter,
        seeded(request.seed, recipe.device),
        threads(settings.threads),
        rounding(settings.precision),
    ):
        model, samples = recipe.begun(recipe.samples(request))
        score = _score(recipe, model, request.valid)
        optimizer = recipe.optimizer(model)
        schedule = model.schedule(optimizer)
        patience = Patience(settings.patience)
        best: dict[str, Tensor] = {}
        epoch = 0
        for epoch in range(1, settings.epochs + 1):
            model.train()
            total = torch.zeros((), device=recipe.device)
            # Drawn on the CPU, whose generator gives the same order whatever the device.
            order = torch.randperm(len(labeled)).to(samples.device)
            for rows in torch.split(order, settings.batch_size):
                optimizer.zero_grad()
                total += _differentiate(model, samples.take(rows).to(recipe.device), settings.precision)
                optimizer.step()
            # The only place in an epoch, other than validation, that waits for an accelerator.
            if not math.isfinite(total.item()):
                raise diverged(total.item(), epoch, len(labeled))
            if schedule is not None:
                schedule.step()
            if score is not None:
                if patience.improved(score()):
                    best = {name: value.clone() for name, value in model.state_dict().items()}
                if patience.exhausted:
                    break
        if best:
            model.load_state_dict(best)
        freeze(model)
    with recipe.border.blamed("training"):
        require_unwritten(request, bought)
    cost = {f"train_{name}": value for name, value in meter.cost.items()}
    return Fitted(model=model, device=recipe.device, epochs=epoch, cost=cost, border=recipe.border)


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


def _score(recipe: Recipe, model: MultimodalModel, valid: Validation | None) -> Callable[[], float] | None:
    """How good the model is by the validation samples, larger being better; None without any."""
    if valid is None:
        return None
    size = recipe.settings.inference_batch
    if recipe.settings.stop_on == "loss":
        prepared = model.to(valid.batch.device).prepare(valid.batch)
        model.to(recipe.device)
        return lambda: -_validation_loss(model, [part.to(recipe.device) for part in prepared.parts(size)])
    return partial(_validation_score, recipe, model, valid, size)


@torch.no_grad()
def _validation_score(recipe: Recipe, model: MultimodalModel, valid: Validation, size: int) -> float:
    """The primary metric of the fused head, larger being better; `size` samples at a time."""
    model.eval()
    found = []
    for part in recipe.validation_parts(valid, size):
        outputs = model(part)
        require_predictions(outputs, len(part), model.shape)
        found.append(outputs[FUSED])
    return recipe.score(torch.cat(found), valid, model.shape.task)


@torch.no_grad()
def _validation_loss(model: MultimodalModel, parts: list[Batch]) -> float:
    """The model's loss over all heads, averaged over the prepared samples."""
    model.eval()
    losses = [model.loss(part) * len(part) for part in parts]
    return torch.stack(losses).sum().item() / sum(map(len, parts))
