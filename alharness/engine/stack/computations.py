"""What a model computes in training, recorded as programs for stacks of it."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn
from torch.func import functional_call, functionalize, vmap

from alharness.api.outputs import require_loss, require_number, require_predictions
from alharness.api.vocabulary import FUSED
from alharness.engine.contexts import plain_kernels

from .drawing import Drawing
from .functions import Stackable, weights_of_layers
from .program import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from alharness.api.network import Batch, MultimodalModel

    from .program import Program

Kind = Literal["step", "loss", "prediction"]

COPIES = 7
"""Of a member's weights: its own, those in the stack, their gradients, two of an optimizer, the best, a spare."""


class Computations:
    """Programs of one kind of model, recorded when they are needed first.

    Args:
        model: one of them.
        precision: of training; see `TrainingSettings.precision`.

    Attributes:
        precision: of training.
        parameters: names of all parameters.
        trained: names of those that are trained.
        buffers: names of the buffers.
    """

    def __init__(self, model: MultimodalModel, precision: str) -> None:
        self._model, self.precision = model, precision
        self._programs: dict[Any, Program] = {}
        self._row = 0
        self.parameters = [name for name, _ in model.named_parameters()]
        self.trained = [name for name, p in model.named_parameters() if p.requires_grad]
        self.buffers = [name for name, _ in model.named_buffers()]

    def bytes_per_member(self, rows: int) -> int:
        """Memory that a member with so many samples takes, at most, by the programs recorded so far."""
        state = sum(p.numel() * p.element_size() for p in (*self._model.parameters(), *self._model.buffers()))
        held = max(program.bytes for program in self._programs.values())
        return COPIES * state + rows * self._row + held

    def step(self, batch: Batch) -> Program:
        """Losses (members,), then the gradients of `trained`, of a step on a batch; changes the buffers.

        Args:
            batch: of one member, as an example.
        """
        return self._program("step", batch, shared=False)

    def loss(self, batch: Batch) -> Program:
        """Losses (members,) in evaluation mode, of a batch that all members share and that is not prepared."""
        return self._program("loss", batch, shared=True)

    def prediction(self, batch: Batch) -> Program:
        """Predictions of the fused head, (members, b, C), of a batch that all members share."""
        return self._program("prediction", batch, shared=True)

    def by_itself(self, kind: Kind, model: MultimodalModel, batch: Batch) -> Tensor:
        """What one model computes without a stack, in training mode for a step, else in evaluation mode."""
        with _mode(model, training=kind == "step"):
            found: Tensor = _Method(model, kind, self.precision, stacked=False)(batch)
            return found

    def _program(self, kind: Kind, batch: Batch, *, shared: bool) -> Program:
        tensors = batch.tensors
        self._row = max(self._row, sum(x[0].numel() * x.element_size() for x in tensors.values()))
        key = kind, shared, tuple((name, x.shape, x.dtype, x.device) for name, x in tensors.items())
        if key not in self._programs:
            state = [*dict(self._model.named_parameters()).values(), *dict(self._model.named_buffers()).values()]
            given = [*tensors.values()]
            first, second = ([*state], given) if shared else ([*state, *given], [])
            with _mode(self._model, training=kind == "step"):
                self._programs[key] = record(self._function(kind, batch), first, second)
        return self._programs[key]

    def _function(self, kind: Kind, like: Batch) -> Any:
        method = _Method(self._model, kind, self.precision, stacked=True)
        names = [f"model.{name}" for name in (*self.parameters, *self.buffers)]
        trained = [self.parameters.index(name) for name in self.trained]

        def one(*tensors: Tensor) -> Tensor:
            state = dict(zip(names, tensors, strict=False))
            found: Tensor = functional_call(method, state, (like.with_tensors(tensors[len(names) :]),))
            return found

        def all_members(*tensors: Tensor) -> Sequence[Tensor | None]:
            # Different: drawn for each member, which `record` finds and replaces.
            results = vmap(functionalize(one), randomness="different")(*tensors)
            if kind != "step":
                return [results]
            # Of the sum: a member's loss depends on its own parameters alone.
            total = results.sum()
            require_loss(total)
            by = [tensors[i] for i in trained]
            return [results.detach(), *torch.autograd.grad(total, by, allow_unused=True)]

        def without_gradients(*tensors: Tensor) -> Sequence[Tensor | None]:
            with torch.no_grad():
                return all_members(*tensors)

        return all_members if kind == "step" else without_gradients


class _Method(nn.Module):
    """A method of a model as a module's `forward`, since `functional_call` calls nothing else."""

    def __init__(self, model: MultimodalModel, kind: Kind, precision: str, *, stacked: bool) -> None:
        super().__init__()
        self.model = model
        self._kind, self._precision, self._stacked = kind, precision, stacked

    def forward(self, batch: Batch) -> Tensor:
        """A loss (), or predictions (b, C)."""
        with plain_kernels():
            if not self._stacked:
                with Drawing():
                    return self._computed(batch)
            with Stackable(), Drawing(), weights_of_layers(self.model):
                return self._computed(batch)

    def _computed(self, batch: Batch) -> Tensor:
        if self._kind == "prediction":
            outputs = self.model(batch)
            require_predictions(outputs, len(batch), self.model.shape)
            found: Tensor = outputs[FUSED]
            return found
        mixed = self._kind == "step" and self._precision == "bfloat16"
        with torch.autocast(batch.device.type, torch.bfloat16) if mixed else nullcontext():
            loss = self.model.loss(batch if self._kind == "step" else self.model.prepare(batch))
        require_number("loss", loss)
        return loss


@contextmanager
def _mode(model: MultimodalModel, *, training: bool) -> Iterator[None]:
    before = model.training
    model.train(training)
    try:
        yield
    finally:
        model.train(before)
