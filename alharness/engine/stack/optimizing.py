"""The optimizer of a stack: one for all members, or one for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import nn, optim
from torch.nn import functional

from alharness.kernels import optimizers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

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


SMALL = 1024
"""Parameters of at most so many numbers share a piece: copying their gradients is quicker than stepping each."""


class Storage:
    """Some parameters of all members in one piece, each in the memory order of its gradient.

    Args:
        values: of each parameter, (members, *shape).
        orders: of each, the dimensions of `shape` in that order.

    Attributes:
        whole: (members, numbers) what an optimizer changes; behind each parameter may be padding.
        stacked: of each parameter, (members, *shape), a view of it.
    """

    whole: nn.Parameter
    stacked: Mapping[str, Tensor]

    def __init__(self, values: Mapping[str, Tensor], orders: Mapping[str, Sequence[int]]) -> None:
        self._shapes = {name: x.shape[1:] for name, x in values.items()}
        self._orders = orders
        first = next(iter(values.values()))
        self._put(first.new_zeros(len(first), sum(_padded(shape.numel()) for shape in self._shapes.values())))
        for name, x in values.items():
            self.stacked[name].copy_(x)

    def gradients(self, values: Mapping[str, Tensor | None]) -> None:
        """Give the optimizer the gradients of these and perhaps other parameters, (members, *shape) each."""
        if len(self._shapes) > 1:
            given = [value for name in self._gradients if (value := values[name]) is not None]
            torch._foreach_copy_([*self._gradients.values()], given)
            self.whole.grad = self._gradient
            return
        ((name, shape),) = self._shapes.items()
        if (value := values[name]) is not None:
            size = shape.numel()
            flat = value.permute(0, *(i + 1 for i in self._orders[name])).reshape(len(value), size)
            self.whole.grad = (
                functional.pad(flat, (0, -size % ALIGNMENT)) if size % ALIGNMENT else flat.contiguous()
            )

    def keep(self, rows: Tensor) -> None:
        """Keep only these members."""
        self._put(self.whole.detach().index_select(0, rows))

    def _put(self, whole: Tensor) -> None:
        if hasattr(self, "whole"):
            self.whole.data = whole  # which an optimizer knows
        else:
            self.whole = nn.Parameter(whole)
        self.stacked = self._views(whole)
        if len(self._shapes) > 1:
            self._gradient = torch.zeros_like(whole)
            self._gradients = self._views(self._gradient)

    def _views(self, whole: Tensor) -> dict[str, Tensor]:
        found, start = {}, 0
        for name, shape in self._shapes.items():
            order = self._orders[name]
            inverse = sorted(range(len(order)), key=order.__getitem__)
            part = whole[:, start : start + shape.numel()].view(len(whole), *(shape[i] for i in order))
            found[name] = part.permute(0, *(i + 1 for i in inverse))
            start += _padded(shape.numel())
        return found


def _padded(numbers: int) -> int:
    return numbers + -numbers % ALIGNMENT


def in_pieces(optimizer: Optimizer, parameters: Mapping[str, Tensor], given: Collection[str]) -> list[list[str]]:
    """Names of parameters that may be kept in one piece: small ones that an optimizer treats alike.

    Args:
        optimizer: of a model.
        parameters: of that model, those that are trained.
        given: names of those that get a gradient in every step.
    """
    if not is_elementwise(optimizer):
        return [[name] for name in parameters]
    group_of = {id(p): number for number, group in enumerate(optimizer.param_groups) for p in group["params"]}
    pieces: dict[object, list[str]] = {}
    for name, p in parameters.items():
        small = name in given and p.numel() <= SMALL
        pieces.setdefault((group_of.get(id(p)), p.dtype) if small else name, []).append(name)
    return [*pieces.values()]


class Optimization(Protocol):
    """How the parameters of a stack change."""

    def step(self, gradients: Mapping[str, Tensor | None]) -> None:
        """Change them by the gradients of a step, (members, *shape) each."""

    def end_epoch(self) -> None:
        """Change the learning rates, if the model has a schedule."""

    def keep(self, rows: Tensor) -> None:
        """Keep only these members."""


class Shared:
    """One optimizer of whole stacks, since it works number by number."""

    def __init__(self, model: MultimodalModel, optimizer: Optimizer, storages: Sequence[Storage]) -> None:
        parameters = dict(model.named_parameters())
        wholes = {id(parameters[next(iter(storage.stacked))]): storage.whole for storage in storages}
        groups = [
            {**group, "params": [wholes[id(p)] for p in group["params"] if id(p) in wholes]}
            for group in optimizer.param_groups
        ]
        kind: Callable[..., Optimizer] = type(optimizer)
        self._optimizer = kind(groups)
        self._storages = storages
        self._schedule = model.schedule(self._optimizer)

    def step(self, gradients: Mapping[str, Tensor | None]) -> None:
        """See `Optimization`."""
        for storage in self._storages:
            storage.gradients(gradients)
        self._optimizer.step()
        for storage in self._storages:
            storage.whole.grad = None  # what is computed next needs the memory

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
        for storage in self._storages:
            storage.keep(rows)


class Single:
    """An optimizer for each member: any that needs no more than gradients.

    If the only member of a stack has a twin, the twin becomes as the member after each step.
    """

    def __init__(
        self,
        models: Sequence[MultimodalModel],
        make: Callable[[MultimodalModel], Optimizer],
        storages: Sequence[Storage],
    ) -> None:
        self._models = [*{id(model): model for model in models}.values()]
        self._storages = storages
        self._share()
        self._optimizers = [make(model) for model in self._models]
        self._schedules: list[LRScheduler | None] = [
            model.schedule(optimizer) for model, optimizer in zip(self._models, self._optimizers, strict=True)
        ]

    def step(self, gradients: Mapping[str, Tensor | None]) -> None:
        """See `Optimization`."""
        for row, (model, optimizer) in enumerate(zip(self._models, self._optimizers, strict=True)):
            parameters = dict(model.named_parameters())
            for name, gradient in gradients.items():
                parameters[name].grad = None if gradient is None else gradient[row].contiguous()
            optimizer.step()
            self._collect(row, parameters)
        for storage in self._storages:
            if len(storage.whole) > len(self._models):
                storage.whole.data[1] = storage.whole.data[0]

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
        for storage in self._storages:
            storage.keep(rows)
        self._share()

    def _share(self) -> None:
        """Make the models' parameters views of the stack, so that their optimizers change it."""
        for row, model in enumerate(self._models):
            parameters = dict(model.named_parameters())
            for name, stacked in self._stacked():
                parameters[name].data = stacked[row]

    def _collect(self, row: int, parameters: Mapping[str, nn.Parameter]) -> None:
        """Put into the stack what the optimizer has put elsewhere, by `p.data = ...`."""
        for name, stacked in self._stacked():
            mine = stacked[row]
            if parameters[name].data_ptr() != mine.data_ptr():
                mine.copy_(parameters[name].detach())
                parameters[name].data = mine

    def _stacked(self) -> Iterator[tuple[str, Tensor]]:
        return (item for storage in self._storages for item in storage.stacked.items())
