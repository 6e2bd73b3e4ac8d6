"""The training of one stack."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from alharness.engine.contexts import rounding, seeded, threads
from alharness.engine.measure import Meter, wants_memory
from alharness.engine.recipe import Fitted, checksums, diverged, freeze, require_unwritten
from alharness.engine.stopping import Patience

from .shelf import Shelf
from .stack import Stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from alharness.api.network import MultimodalModel
    from alharness.api.vocabulary import Task
    from alharness.engine.recipe import Fit, Recipe, Validation

    from .computations import Computations


class StackFit:
    """The training of one stack, from fresh weights to fitted models.

    Args:
        recipe: of the models.
        requests: for as many labels each.
        computations: of the kind of model.
        part: most validation samples at once.
    """

    def __init__(self, recipe: Recipe, requests: Sequence[Fit], computations: Computations, part: int) -> None:
        self._recipe, self._requests, self._computations, self._part = recipe, requests, computations, part
        self._models: dict[int, MultimodalModel] = {}
        self._failed: dict[int, BaseException] = {}
        self._epochs = dict.fromkeys(range(len(requests)), 0)
        self._best: dict[int, Mapping[str, Tensor]] = {}
        self._patience = [Patience(recipe.settings.patience) for _ in requests]

    def run(self) -> list[Fitted | BaseException]:
        """Train them all; for each its model, or what it ended with."""
        recipe, bought = self._recipe, [checksums(request.labeled) for request in self._requests]
        with (
            recipe.border.crossed("training"),
            Meter(recipe.device) as meter,
            # With more threads, sums would be split in another way for another number of members.
            threads(1),
            rounding(recipe.settings.precision),
        ):
            self._train()
            for number, model in self._models.items():
                if number not in self._failed:
                    _load(model, self._best[number])
                    freeze(model)
        for number, request in enumerate(self._requests):
            try:
                with recipe.border.blamed("training"):
                    require_unwritten(request, bought[number])
            except BaseException as error:  # noqa: BLE001 - it belongs to the cell that asked
                self._failed.setdefault(number, error)
        return [self._failed.get(number) or self._fitted(number, meter) for number in range(len(self._requests))]

    def _train(self) -> None:
        recipe, settings = self._recipe, self._recipe.settings
        shelf, active = Shelf(len(self._requests), recipe.device), []
        for number, request in enumerate(self._requests):
            try:
                with recipe.border.blamed("training"), seeded(request.seed, recipe.device):
                    self._models[number], samples = recipe.begun(recipe.samples(request))
                    shelf.add(samples, request.labeled)
                active.append(number)
            except Exception as error:
                if wants_memory(error):
                    raise
                self._failed[number] = error
        if not active:
            return
        stack = Stack(
            [self._models[number] for number in active],
            shelf,
            [self._requests[number].seed for number in active],
            self._computations,
            recipe.optimizer,
            settings.batch_size,
        )
        for epoch in range(1, settings.epochs + 1):
            losses = stack.epoch().tolist()  # waits for an accelerator, once an epoch
            self._epochs.update(dict.fromkeys(active, epoch))
            ended = self._without_numbers(active, losses, epoch)
            ended |= self._out_of_patience(stack, active, ended)
            if epoch == settings.epochs:
                ended = set(range(len(active)))
            for row in ended:
                self._best.setdefault(active[row], stack.weights(row))  # without validation, the last is the best
            left = [row for row in range(len(active)) if row not in ended]
            if not left:
                return
            if ended:
                active = [active[row] for row in left]
                stack.keep(left)

    def _without_numbers(self, active: Sequence[int], losses: Sequence[float], epoch: int) -> set[int]:
        """Rows of the members whose loss is no longer finite."""
        rows = {row for row, loss in enumerate(losses) if not math.isfinite(loss)}
        for row in rows:
            labels = len(self._requests[active[row]].labeled)
            self._failed[active[row]] = diverged(losses[row], epoch, labels)
        return rows

    def _out_of_patience(self, stack: Stack, active: Sequence[int], ended: set[int]) -> set[int]:
        """Validate the members that have not ended; rows of those that stop now."""
        shared: dict[int, list[int]] = {}
        for row, number in enumerate(active):
            if row not in ended and self._requests[number].valid is not None:
                shared.setdefault(id(self._requests[number].valid), []).append(row)
        stopping = set()
        for rows in shared.values():
            valid = self._requests[active[rows[0]]].valid
            assert valid is not None
            for row, score in zip(rows, self._scores(stack, rows, valid), strict=True):
                patience = self._patience[active[row]]
                if isinstance(score, Exception):
                    self._failed[active[row]] = score
                    stopping.add(row)
                    continue
                if patience.improved(score):
                    self._best[active[row]] = stack.weights(row, self._best.get(active[row]))
                if patience.exhausted:
                    stopping.add(row)
        return stopping

    def _scores(self, stack: Stack, rows: Sequence[int], valid: Validation) -> list[float | Exception]:
        """How good these members are by samples that they share, larger being better; or what measuring raised."""
        parts = [*self._recipe.validation_parts(valid, self._part)]
        if self._recipe.settings.stop_on == "loss":
            return [-loss for loss in stack.losses(parts, rows).tolist()]
        task = next(iter(self._models.values())).shape.task
        return [self._score(found, valid, task) for found in stack.predictions(parts, rows).cpu()]

    def _score(self, predictions: Tensor, valid: Validation, task: Task) -> float | Exception:
        try:
            return self._recipe.score(predictions, valid, task)
        except Exception as error:  # noqa: BLE001 - it belongs to the cell whose predictions they are
            return error

    def _fitted(self, number: int, meter: Meter) -> Fitted:
        """A model, with its part of the costs: times by the epochs that it took, peaks of the whole stack."""
        part = self._epochs[number] / sum(self._epochs.values())
        cost = {
            f"train_{name}": value * part if name.endswith("seconds") else value
            for name, value in meter.cost.items()
        }
        return Fitted(
            model=self._models[number],
            device=self._recipe.device,
            epochs=self._epochs[number],
            cost={**cost, "train_stacked": float(len(self._requests))},
            border=self._recipe.border,
        )


def _load(model: MultimodalModel, weights: Mapping[str, Tensor]) -> None:
    """Put these weights and buffers into a model."""
    with torch.no_grad():
        for name, value in (*model.named_parameters(), *model.named_buffers()):
            # Contiguous: products of a matrix in another memory order are rounded otherwise.
            value.data = weights[name].contiguous()
