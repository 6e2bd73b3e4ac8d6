"""Which models are trained as stacks, and in how many."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from alharness.api.network import MultimodalModel
from alharness.engine.alone import train_alone
from alharness.engine.contexts import seeded, threads
from alharness.engine.measure import free_memory, wants_memory

from . import MOST
from .computations import Computations
from .fit import StackFit
from .recorder import Unstackable, reason_of
from .trial import Different, require_equal, require_equal_in_evaluation, step_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alharness.engine.recipe import Fit, Fitted, Recipe


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
        assert self._computations is not None
        try:
            return StackFit(self._recipe, requests, self._computations, self._part).run()
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


def _declared(model: MultimodalModel) -> str:
    """Why the model says itself that it must be trained alone; empty if it does not."""
    if not model.stackable:
        return "its class says so (`stackable = False`)"
    if type(model).differentiate is not MultimodalModel.differentiate:
        return "it brings its own `differentiate`"
    return ""
