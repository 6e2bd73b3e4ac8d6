"""Whether a stack computes what its members compute by themselves."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from .recorder import Unstackable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from alharness.api.network import Batch, MultimodalModel

    from .computations import Computations
    from .draws import Draw
    from .program import Program

ops = torch.ops.aten
CLOSE = 1e-3
"""Differences of tensors, by their norms, up to this share are rounding: a stack adds in another order."""

TORCHS = frozenset(vars(nn.Module()))
"""Attributes of every module."""

TINY = 1e-7
"""Differences of single numbers up to this are rounding of what is 0."""


class Different(Unstackable):
    """A stack computes something else than its members by themselves."""


def require_equal(computations: Computations, models: Sequence[MultimodalModel], batches: Sequence[Batch]) -> None:
    """Compare a step of several models as a stack with the same step of each by itself.

    Args:
        computations: of this kind of model, in float32: with fewer bits, rounding moves signs of errors.
        models: they are as before afterwards.
        batches: prepared samples of each model, as many of each.

    Raises:
        Unstackable: losses, gradients or buffers differ, or a model keeps something that a stack does not.
    """
    _require_kept(models, batches)
    program = computations.step(batches[0])
    state, drawn, (losses, *gradients) = step_of(program, models, batches)
    for row, (model, batch) in enumerate(zip(models, batches, strict=True)):
        numbers = [x[row] / draw.value for x, draw in zip(drawn, program.draws, strict=True)]
        loss, by, kept = _alone(computations, model, batch, numbers)
        _require_close("the loss", losses[row], loss)
        for name, mine, other in zip(computations.trained, gradients, by, strict=True):
            _require_close(f"the gradient of {name}", None if mine is None else mine[row], other)
        for name, value in kept.items():
            _require_close(name, state[name][row], value)


def step_of(
    program: Program, models: Sequence[MultimodalModel], batches: Sequence[Batch]
) -> tuple[dict[str, Tensor], list[Tensor], list[Any]]:
    """A step of several models as a stack: their state after it, what was drawn, and what the program gives."""
    generator = torch.Generator().manual_seed(0)  # of the CPU, so that the trial is the same on every device
    drawn = [_example(draw, len(models), generator).to(batches[0].device) for draw in program.draws]
    state = _stacked(models)
    tensors = [torch.stack([batch.tensors[name] for batch in batches]) for name in batches[0].tensors]
    with torch.no_grad():
        return state, drawn, program(len(models), [*state.values(), *tensors], drawn)


def require_equal_in_evaluation(
    kind: Literal["loss", "prediction"],
    computations: Computations,
    models: Sequence[MultimodalModel],
    batch: Batch,
) -> None:
    """Compare what several models compute as a stack in evaluation mode with what each computes by itself.

    Args:
        kind: what is compared.
        computations: of this kind of model.
        models: of this kind.
        batch: that they have in common, not prepared.

    Raises:
        Unstackable: it differs, or they draw random numbers.
    """
    program = computations.loss(batch) if kind == "loss" else computations.prediction(batch)
    if program.draws:
        raise Unstackable("it draws random numbers in evaluation mode")
    tensors = [x.expand(len(models), *x.shape) for x in batch.tensors.values()]
    with torch.no_grad():
        (found,) = program(len(models), [*_stacked(models).values(), *tensors], [])
        for mine, model in zip(found, models, strict=True):
            other = computations.by_itself(kind, model, batch)
            _require_close(f"the {kind} in evaluation mode", mine, other)


def _stacked(models: Sequence[MultimodalModel]) -> dict[str, Tensor]:
    """Parameters and buffers, (members, ...), in the order of programs."""
    named = [_state(model) for model in models]
    return {name: torch.stack([own[name].detach() for own in named]) for name in named[0]}


def _alone(
    computations: Computations, model: MultimodalModel, batch: Batch, drawn: Sequence[Tensor]
) -> tuple[Tensor, Sequence[Tensor | None], Mapping[str, Tensor]]:
    """Loss, gradients, and what else of its state there is after a step of one model."""
    with _undone(model) as state, _Replayed(drawn):
        loss = computations.by_itself("step", model, batch)
        gradients = torch.autograd.grad(loss, [state[name] for name in computations.trained], allow_unused=True)
        kept = {name: x.detach().clone() for name, x in state.items() if name not in computations.trained}
    return loss.detach(), gradients, kept


def _state(model: nn.Module) -> dict[str, Tensor]:
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


@contextmanager
def _undone(model: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Its parameters and buffers, by name, which are afterwards what they were before."""
    state = _state(model)
    before = {name: x.detach().clone() for name, x in state.items()}
    yield state
    with torch.no_grad():
        for name, x in state.items():
            x.copy_(before[name])


def _require_kept(models: Sequence[MultimodalModel], batches: Sequence[Batch]) -> None:
    """Raise Unstackable if a loss changes what a stack does not have for each member."""
    for model, batch in zip(models, batches, strict=True):
        with _undone(model):
            model.train()
            model.loss(batch)  # a first time, for what a model makes when it needs it, such as positions
    with _undone(models[0]):
        known = _attributes(models[0])
        models[0].loss(batches[0])
        found = _attributes(models[0])
    if changed := [name for name, value in found.items() if not _same(known.get(name, []), value)]:
        raise Unstackable(
            f"its loss sets {changed[0]}; of each model, a stack keeps parameters alone, and buffers that are "
            "changed in place"
        )


def _attributes(model: nn.Module) -> dict[str, list[Any]]:
    """What its modules keep, by name: each attribute and buffer, with what it holds if it is a list or alike."""
    return {
        f"{path}.{name}".lstrip("."): [value, *_contents(value)]
        for path, module in model.named_modules()
        for name, value in {**vars(module), **module._buffers}.items()  # noqa: SLF001 - named_buffers skips None
        if name not in TORCHS
    }


def _same(before: Sequence[Any], after: Sequence[Any]) -> bool:
    plain = (bool, int, float, str, type(None))
    return len(before) == len(after) and all(
        a is b or (isinstance(a, plain) and isinstance(b, plain) and a == b)
        for a, b in zip(before, after, strict=True)
    )


def _contents(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return [*value.values()]
    return [*value] if isinstance(value, (list, set)) else []


def _example(draw: Draw, members: int, generator: torch.Generator) -> Tensor:
    uniform = torch.rand(members, *draw.shape, generator=generator)
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
    difference, size = (torch.where(x.isfinite(), x, 0).norm().item() for x in (a - b, b))
    if not torch.equal(a.isfinite(), b.isfinite()) or difference > CLOSE * size + TINY * b.numel() ** 0.5:
        raise Different(f"{what} is another than that of the model by itself")


class _Replayed(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """What is drawn inside is replaced by given numbers, in their order."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # see Recorder

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
