"""Whether a stack computes what its members compute by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from .recorder import Unstackable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from alharness.api.network import Batch, MultimodalModel

    from .computations import Computations
    from .draws import Draw

ops = torch.ops.aten
CLOSE = 1e-3
"""Differences up to this share of the largest number are rounding: a stack adds in another order."""


def require_equal(computations: Computations, models: Sequence[MultimodalModel], batches: Sequence[Batch]) -> None:
    """Compare a step of several models as a stack with the same step of each by itself.

    Args:
        computations: of this kind of model.
        models: in training mode; they are as before afterwards.
        batches: prepared samples of each model, as many of each.

    Raises:
        Unstackable: losses, gradients or buffers differ, or a model keeps something that a stack does not.
    """
    program = computations.step(batches[0])
    generator = torch.Generator(batches[0].device).manual_seed(0)
    drawn = [_example(draw, len(models), generator) for draw in program.draws]
    named = [{**dict(m.named_parameters()), **dict(m.named_buffers())} for m in models]
    state = [torch.stack([own[name].detach() for own in named]) for name in named[0]]
    tensors = [torch.stack([batch.tensors[name] for batch in batches]) for name in batches[0].tensors]
    with torch.no_grad():
        losses, *gradients = program(len(models), [*state, *tensors], drawn)
    after = dict(zip(named[0], state, strict=True))
    for row, (model, batch) in enumerate(zip(models, batches, strict=True)):
        numbers = [x[row] / draw.value for x, draw in zip(drawn, program.draws, strict=True)]
        loss, by, buffers = _alone(model, batch, numbers, computations.trained)
        _require_close("the loss", losses[row], loss)
        for name, mine, other in zip(computations.trained, gradients, by, strict=True):
            _require_close(f"the gradient of {name}", None if mine is None else mine[row], other)
        for name, value in buffers.items():
            _require_close(f"the buffer {name}", after[name][row], value)


def _alone(
    model: MultimodalModel, batch: Batch, drawn: Sequence[Tensor], trained: Sequence[str]
) -> tuple[Tensor, Sequence[Tensor | None], Mapping[str, Tensor]]:
    """Loss, gradients, and buffers after a step of one model."""
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    known = _attributes(model)
    with _Replayed(drawn):
        loss = model.loss(batch)
        parameters = dict(model.named_parameters())
        gradients = torch.autograd.grad(loss, [parameters[name] for name in trained], allow_unused=True)
    if changed := [name for name, value in _attributes(model).items() if known.get(name, value) is not value]:
        raise Unstackable(f"its loss changes {changed[0]}, which is no number in a buffer")
    after = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            buffer.copy_(before[name])
    return loss.detach(), gradients, after


def _attributes(model: nn.Module) -> dict[str, Any]:
    """What its modules keep, by name: attributes, and buffers as objects."""
    return {
        f"{path}.{name}".lstrip("."): value
        for path, module in model.named_modules()
        for name, value in {**vars(module), **module._buffers}.items()  # noqa: SLF001 - named_buffers skips None
        if not name.startswith("_")
    }


def _example(draw: Draw, members: int, generator: torch.Generator) -> Tensor:
    uniform = torch.rand(members, *draw.shape, generator=generator, device=generator.device)
    if draw.kind == "permutation":
        return uniform.argsort(dim=-1)
    if draw.kind == "kept":
        return (uniform < draw.share).float() * draw.value
    return uniform


def _require_close(what: str, stacked: Tensor | None, alone: Tensor | None) -> None:
    if stacked is None or alone is None:
        if stacked is not alone:
            raise Unstackable(f"{what} is missing")
        return
    a, b = stacked.double(), alone.detach().double()
    scale = b.abs().nan_to_num(posinf=0).max().item() if b.numel() else 0
    if not torch.allclose(a, b, rtol=CLOSE, atol=CLOSE * scale + 1e-7, equal_nan=True):
        raise Unstackable(f"{what} is another than that of the model by itself")


class _Replayed(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """What is drawn inside is replaced by given numbers, in their order."""

    def __init__(self, drawn: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._left = list(drawn)

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if torch.Tag.nondeterministic_seeded not in operation.tags:
            return operation(*args, **(kwargs or {}))
        if not self._left:
            raise Unstackable("it draws more numbers than it does in a stack")
        numbers = self._left.pop(0)
        if operation is ops.native_dropout.default:
            return args[0] * numbers / (1 - args[1]), numbers.bool()
        if operation is ops.bernoulli_.float:
            return args[0].copy_(numbers)
        like = operation(*args, **(kwargs or {}))
        if like.shape != numbers.shape:
            raise Unstackable("it draws in another order than it does in a stack")
        return numbers.to(like.dtype)
