"""Training models as stacks."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from alharness.api.network import MultimodalModel
from alharness.engine.alone import train_alone
from alharness.engine.contexts import rounding, seeded, threads
from alharness.engine.measure import Meter, free_memory, wants_memory
from alharness.engine.recipe import Fitted, checksums, diverged, freeze, require_unwritten
from alharness.engine.stopping import Patience

from . import MOST
from .computations import Computations
from .recorder import Unstackable, reason_of
from .shelf import Shelf
from .stack import Stack
from .trial import Different, require_equal, require_equal_in_evaluation, step_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from alharness.api.vocabulary import Task
    from alharness.engine.recipe import Fit, Recipe, Validation


PART = 256
"""Most validation samples that are computed at once for every member of a stack."""

SHARE = 0.25
"""Of the free memory that a stack may take; other workers need some too."""


ATTEMPTS = 3
"""Trials that must fail before a model is trained alone."""


class StackTrainer:
    """Trains models of one kind as stacks, unless a trial finds that this is not possible.

    Args:
        recipe: of the models.
        most: members of a stack; None for as many as the memory holds.
    """

    def __init__(self, recipe: Recipe, most: int | None = None) -> None:
        self._recipe, self._most = recipe, most
        self._computations: Computations | None = None
        self._tried: set[tuple[int, int | None]] = set()
        self._impossible = ""
        self._bounded = False  # by the memory, which was said

    def train(self, requests: Sequence[Fit]) -> list[Fitted | BaseException] | None:
        """Train models for as many labels each, in stacks of as many as there may be.

        Returns:
            For each request its model, or what it ended with. None if the model cannot be stacked: the reason was
            reported.
        """
        # One that fails by itself says nothing of the others, which are trained as they would be without it.
        if not next((found for found in map(self._possible, requests) if found is not None), False):
            return None
        size = self._size(requests[0], len(requests))
        found: list[Fitted | BaseException] = []
        for start in range(0, len(requests), size):
            found += self._train(requests[start : start + size])
        return found

    def _possible(self, request: Fit) -> bool | None:
        """Whether models can be trained as a stack for such a request; tried once for every number of samples.

        None if a model of this request fails by itself as well.
        """
        border = self._recipe.border
        shapes = len(request.labeled), None if request.valid is None else len(request.valid.batch)
        if not self._impossible and shapes not in self._tried:
            try:
                # Recorded before any training is measured.
                with border.crossed("training"), threads(1):
                    self._impossible = self._try(request, ATTEMPTS)
                self._tried.add(shapes)
            except Exception as error:  # noqa: BLE001 - a model may raise anything in a trial
                if self._fails_alone(request):
                    return None
                self._impossible = reason_of(error if isinstance(error, Unstackable) else error.__cause__ or error)
            if self._impossible:
                border.warn(
                    f"{border.culprit} cannot be trained as a stack and is trained one by one, which "
                    f"takes longer: {self._impossible}"
                )
        return not self._impossible

    def _try(self, request: Fit, attempts: int) -> str:
        """Record what such a request needs, and compare it with what models compute by themselves.

        Args:
            request: such a one.
            attempts: with other weights and samples each. Among 10,000 units that are cut off at 0, one may be so
                near it that rounding decides. Then gradients differ, but hardly a second time.

        Returns:
            Why the model says itself that it must be trained alone; else nothing.
        """
        recipe, rows = self._recipe, len(request.labeled)
        # The second model has other weights and is adapted to others: what it keeps must not be the first's.
        samples = recipe.samples(request)
        number = torch.arange(rows, device=samples.device)
        samples = samples.take(number.roll(ATTEMPTS - attempts))
        half = samples.take(number // 2)
        with seeded(request.seed + ATTEMPTS - attempts, recipe.device):
            models, batches = zip(*(recipe.begun(samples, x) for x in (samples, half)), strict=True)
        if reason := _declared(models[0]):
            return reason
        for model in models:
            recipe.optimizer(model)  # which may add hooks to parameters
        computations = self._computations = self._computations or Computations(
            models[0], recipe.settings.precision
        )
        whole = min(recipe.settings.batch_size, rows)
        exact = computations if computations.precision == "float32" else Computations(models[0], "float32")
        for size in {whole, rows % whole or whole}:
            parts = [batch.first(size).to(recipe.device) for batch in batches]
            with seeded(0, recipe.device):
                try:
                    require_equal(exact, models, parts)
                except Different:
                    if attempts == 1:
                        raise
                    return self._try(request, attempts - 1)
                step_of(computations.step(parts[0]), models, parts)
        if request.valid is not None:
            kind: Literal["loss", "prediction"] = "loss" if recipe.settings.stop_on == "loss" else "prediction"
            for part in recipe.validation_parts(request.valid, self._part):
                require_equal_in_evaluation(kind, computations, models, part)
        return ""

    def _fails_alone(self, request: Fit) -> bool:
        """Whether a model of such a request raises by itself as well: then that is what should be reported."""
        settings = self._recipe.settings.model_copy(update={"epochs": 1})
        copied = replace(request, labeled=request.labeled.take(np.arange(len(request.labeled))))
        try:
            train_alone(replace(self._recipe, settings=settings), copied)
        except Exception:  # noqa: BLE001 - it is raised again by the training that follows
            return True
        return False

    def _train(self, requests: Sequence[Fit]) -> list[Fitted | BaseException]:
        """One stack; two of half the size if the memory does not hold it."""
        try:
            return _Training(self._recipe, requests, self._computations, self._part).run()
        except Exception as error:  # noqa: BLE001 - it belongs to the cells that asked
            if len(requests) == 1 or not wants_memory(error):
                return [error for _ in requests]
        # Not inside: until the error is gone, its traceback holds all that the first attempt had in memory.
        self._recipe.border.warn(f"the memory does not hold a stack of {len(requests)} models; it is split in two")
        half = len(requests) // 2
        return [*self._train(requests[:half]), *self._train(requests[half:])]

    @property
    def _part(self) -> int:
        return min(PART, self._recipe.settings.inference_batch)

    def _size(self, request: Fit, wanted: int) -> int:
        """Members of a stack for such a request, of which there are so many. Says once if the memory bounds it."""
        assert self._computations is not None
        device = self._recipe.device
        most = self._most or MOST.get(device.type, MOST["cuda"])
        held = int(SHARE * free_memory(device) / self._computations.bytes_per_member(len(request.labeled)))
        held = max(1, held)
        if held < min(most, wanted) and not self._bounded:
            self._bounded = True
            self._recipe.border.warn(
                f"the memory that is free holds stacks of {held} models; the {wanted} that could train together "
                "are split, which changes no result"
            )
        return min(most, held)


class _Training:
    """The training of one stack, from fresh weights to fitted models.

    Args:
        recipe: of the models.
        requests: for as many labels each.
        computations: of the kind of model.
        part: most validation samples at once.
    """

    def __init__(
        self, recipe: Recipe, requests: Sequence[Fit], computations: Computations | None, part: int
    ) -> None:
        assert computations is not None
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


def _declared(model: MultimodalModel) -> str:
    """Why the model says itself that it must be trained alone; empty if it does not."""
    if not model.stackable:
        return "its class says so (`stackable = False`)"
    if type(model).differentiate is not MultimodalModel.differentiate:
        return "it brings its own `differentiate`"
    return ""
