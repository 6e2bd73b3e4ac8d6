"""The optimizer of a stack: one for all members, or one for each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import torch
from torch import nn, optim
from torch.nn import functional

from alharness.kernels import optimizers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    from alharness.api.network import MultimodalModel

ELEMENTWISE = (
    *(optimizers.Adam, optimizers.AdamW, optimizers.SGD),
    *(optim.Adam, optim.AdamW, optim.NAdam, optim.RAdam, optim.Adamax, optim.Adagrad, optim.Adadelta),
    *(optim.RMSprop, optim.SGD),
)
"""Optimizers to which it does not matter which tensor a number belongs to."""


def is_elementwise(optimizer: Optimizer) -> bool:
    """Whether one optimizer of this kind may change the parameters of many models at once."""
    hooks = optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks  # noqa: SLF001
    return type(optimizer) in ELEMENTWISE and not hooks  # a hook sees one model's parameters


ALIGNMENT = 16
"""Rows of parameters begin at a multiple of so many numbers. Kernels compute the last few of a tensor, which fill
no register, with other rounding; so no member may have them."""


class Storage:
    """A parameter of all members, in the memory order of its gradient.

    Args:
        values: (members, *shape).
        order: the dimensions of `shape` in that order.

    Attributes:
        whole: (members, numbers) what an optimizer changes; behind each row may be padding.
        stacked: (members, *shape), a view of it.
    """

    def __init__(self, values: Tensor, order: Sequence[int]) -> None:
        self._shape = values.shape[1:]
        self._order = [0, *(i + 1 for i in order)]
        self._size = math.prod(self._shape)
        self._padding = -self._size % ALIGNMENT
        self.whole = nn.Parameter(self._flat(values).clone())
        self._view()

    def gradient(self, value: Tensor) -> None:
        """Give the optimizer a gradient, (members, *shape)."""
        self.whole.grad = self._flat(value)

    def keep(self, rows: Tensor) -> None:
        """Keep only these members."""
        self.whole.data = self.whole.detach().index_select(0, rows)
        self._view()

    def _flat(self, values: Tensor) -> Tensor:
        flat = values.detach().permute(self._order).reshape(len(values), self._size)
        return functional.pad(flat, (0, self._padding)) if self._padding else flat.contiguous()

    def _view(self) -> None:
        sizes = [self._shape[i - 1] for i in self._order[1:]]
        inverse = sorted(range(len(self._order)), key=self._order.__getitem__)
        whole = self.whole.detach()
        self.stacked = whole[:, : self._size].view(len(whole), *sizes).permute(inverse)


class Optimization(Protocol):
    """How the parameters of a stack change."""

    def step(self, gradients: Sequence[Tensor | None]) -> None:
        """Change them by the gradients of a step."""

    def end_epoch(self) -> None:
        """Change the learning rates, if the model has a schedule."""

    def keep(self, rows: Tensor) -> None:
        """Keep only these members."""


class Shared:
    """One optimizer of whole stacks, since it works number by number."""

    def __init__(self, model: MultimodalModel, optimizer: Optimizer, storages: Mapping[str, Storage]) -> None:
        wholes = {id(p): storages[name].whole for name, p in model.named_parameters() if name in storages}
        groups = [
            {**group, "params": [wholes[id(p)] for p in group["params"] if id(p) in wholes]}
            for group in optimizer.param_groups
        ]
        kind: Callable[..., Optimizer] = type(optimizer)
        self._optimizer = kind(groups)
        self._storages = storages
        self._schedule = model.schedule(self._optimizer)

    def step(self, gradients: Sequence[Tensor | None]) -> None:
        """See `Optimization`."""
        for storage, gradient in zip(self._storages.values(), gradients, strict=True):
            if gradient is not None:
                storage.gradient(gradient)
        self._optimizer.step()
        self._optimizer.zero_grad()  # what is computed next needs the memory

    def end_epoch(self) -> None:
        """See `Optimization`."""
        if self._schedule is not None:
            self._schedule.step()

    def keep(self, rows: Tensor) -> None:
        """See `Optimization`."""
        for state in self._optimizer.state.values():
            for name, value in state.items():
                if isinstance(value, torch.Tensor) and value.ndim:
                    state[name] = value.index_select(0, rows.to(value.device))
        for storage in self._storages.values():
            storage.keep(rows)


class Single:
    """An optimizer for each member: any that needs no more than gradients.

    If the only member of a stack has a twin, the twin becomes as the member after each step.
    """

    def __init__(
        self,
        models: Sequence[MultimodalModel],
        make: Callable[[MultimodalModel], Optimizer],
        storages: Mapping[str, Storage],
    ) -> None:
        self._models = [*{id(model): model for model in models}.values()]
        self._storages = storages
        self._share()
        self._optimizers = [make(model) for model in self._models]
        self._schedules: list[LRScheduler | None] = [
            model.schedule(optimizer) for model, optimizer in zip(self._models, self._optimizers, strict=True)
        ]

    def step(self, gradients: Sequence[Tensor | None]) -> None:
        """See `Optimization`."""
        for row, (model, optimizer) in enumerate(zip(self._models, self._optimizers, strict=True)):
            parameters = dict(model.named_parameters())
            for name, gradient in zip(self._storages, gradients, strict=True):
                parameters[name].grad = None if gradient is None else gradient[row].contiguous()
            optimizer.step()
            self._collect(row, parameters)
        for storage in self._storages.values():
            if len(storage.stacked) > len(self._models):
                storage.stacked[1].copy_(storage.stacked[0])

    def end_epoch(self) -> None:
        """See `Optimization`."""
        for schedule in self._schedules:
            if schedule is not None:
                schedule.step()

    def keep(self, rows: Tensor) -> None:
        """See `Optimization`."""
        positions = [*dict.fromkeys(rows.tolist())]
        self._models = [self._models[i] for i in positions]
        self._optimizers = [self._optimizers[i] for i in positions]
        self._schedules = [self._schedules[i] for i in positions]
        for storage in self._storages.values():
            storage.keep(rows)
        self._share()

    def _share(self) -> None:
        """Make the models' parameters views of the stack, so that their optimizers change it."""
        for row, model in enumerate(self._models):
            parameters = dict(model.named_parameters())
            for name, storage in self._storages.items():
                parameters[name].data = storage.stacked[row]

    def _collect(self, row: int, parameters: Mapping[str, nn.Parameter]) -> None:
        """Put into the stack what the optimizer has put elsewhere, by `p.data = ...`."""
        for name, storage in self._storages.items():
            mine = storage.stacked[row]
            if parameters[name].data_ptr() != mine.data_ptr():
                mine.copy_(parameters[name].detach())
                parameters[name].data = mine
