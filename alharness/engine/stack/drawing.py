"""All that draws random numbers, made of the few functions for which a stack has streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from .recorder import Unstackable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor


class Replaced(TorchFunctionMode):
    """Calls of some functions inside are calls of others."""

    BY: ClassVar[Mapping[Any, Callable[..., Any]]]

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See `TorchFunctionMode`."""
        return self.BY.get(function, function)(*args, **(kwargs or {}))


def _normal(mean: Any, std: Any = 1.0, size: Any = None, **options: Any) -> Tensor:
    noise = torch.randn_like(torch.as_tensor(mean + std)) if size is None else torch.randn(size, **options)
    found: Tensor = noise * std + mean
    return found


def _whole_numbers(uniform: Tensor, low: int, high: int) -> Tensor:
    """From [0, 1) to whole numbers from low to high - 1."""
    return (uniform * (high - low)).floor().clamp(max=high - low - 1) + low


def _randint(*given: Any, dtype: torch.dtype = torch.int64, **options: Any) -> Tensor:
    named = [options.pop(name) for name in ("low", "high", "size") if name in options]
    *bounds, size = (*given, *named)
    low, high = (0, *bounds)[-2:]
    return _whole_numbers(torch.rand(size, **options), low, high).to(dtype)


def _randint_like(x: Tensor, *bounds: int, dtype: torch.dtype | None = None, **options: Any) -> Tensor:
    low, high = (0, *bounds, *options.values())[-2:]
    return _whole_numbers(torch.rand_like(x, dtype=torch.float), low, high).to(dtype or x.dtype)


def _exponential(like: Tensor, rate: float = 1.0) -> Tensor:
    return torch.rand_like(like).neg().log1p().neg() / rate


def _bernoulli(x: Tensor, p: float | None = None) -> Tensor:
    return (torch.rand_like(x) < (x if p is None else p)).to(x.dtype)


def _multinomial(weights: Tensor, count: int, replacement: bool = False) -> Tensor:
    """The first of independent exponential times with these rates is a draw (Efraimidis & Spirakis, 2006)."""
    if not replacement:
        return (weights / _exponential(weights)).topk(count).indices
    rates = weights[..., None, :].expand(*weights.shape[:-1], count, -1)
    return (rates / _exponential(rates)).argmax(-1)


def _gumbel_softmax(logits: Tensor, *, tau: float = 1, hard: bool = False, dim: int = -1, **_: Any) -> Tensor:
    soft = ((logits - _exponential(logits).log()) / tau).softmax(dim)
    if not hard:
        return soft
    chosen = (soft == soft.amax(dim, keepdim=True)).to(soft.dtype)
    return chosen - soft.detach() + soft


def _rrelu(x: Tensor, *, lower: float, upper: float, training: bool, inplace: bool) -> Tensor:
    slope = torch.rand_like(x) * (upper - lower) + lower if training else (lower + upper) / 2
    found = torch.where(x < 0, x * slope, x)
    return x.copy_(found) if inplace else found


class Drawing(Replaced):
    """All random numbers inside come from `rand`, `randn`, `randperm` or `bernoulli`, which a stack replaces."""

    BY: ClassVar = {
        torch.normal: _normal,
        torch.randint: _randint,
        torch.randint_like: _randint_like,
        torch.bernoulli: _bernoulli,
        torch.Tensor.bernoulli: _bernoulli,
        torch.multinomial: _multinomial,
        torch.Tensor.multinomial: _multinomial,
        functional.gumbel_softmax: _gumbel_softmax,
        functional.rrelu: _rrelu,
        torch.Tensor.normal_: lambda x, mean=0, std=1: x.copy_(torch.randn_like(x) * std + mean),
        torch.Tensor.uniform_: lambda x, low=0, high=1: x.copy_(torch.rand_like(x) * (high - low) + low),
        torch.Tensor.exponential_: lambda x, lambd=1: x.copy_(_exponential(x, lambd)),
        torch.Tensor.random_: lambda x, *bounds: x.copy_(_randint_like(x, *bounds)),
    }

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See `TorchFunctionMode`."""
        if kwargs and kwargs.pop("generator", None) is not None:
            raise Unstackable("it draws from a generator of its own")
        if function is torch.Tensor.bernoulli_ and isinstance(
            (args + tuple((kwargs or {}).values()))[-1], torch.Tensor
        ):
            return args[0].copy_(torch.rand_like(args[0]) < args[1])
        return super().__torch_function__(function, types, args, kwargs)
