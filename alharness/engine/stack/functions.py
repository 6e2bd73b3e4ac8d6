"""Functions of torch that have no form for stacks, made of those that have one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import nn
from torch.nn import functional

from .drawing import Replaced
from .recorder import Unstackable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    Cell = Callable[[Tensor, Sequence[Tensor], Sequence[Any]], tuple[Tensor, ...]]


# Recurrent layers: a loop over their steps.


def _gru(gates: Tensor, state: Sequence[Tensor], weights: Sequence[Any]) -> tuple[Tensor, ...]:
    (h,) = state
    r, z, n = gates.chunk(3, -1)
    own_r, own_z, own_n = functional.linear(h, *weights).chunk(3, -1)
    z, n = (z + own_z).sigmoid(), (n + (r + own_r).sigmoid() * own_n).tanh()
    return (n + z * (h - n),)


def _lstm(gates: Tensor, state: Sequence[Tensor], weights: Sequence[Any]) -> tuple[Tensor, ...]:
    h, c = state
    i, f, g, o = (gates + functional.linear(h, *weights)).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def _rnn(function: Callable[[Tensor], Tensor]) -> Cell:
    return lambda gates, state, weights: (function(gates + functional.linear(state[0], *weights)),)


def _one_step(cell: Cell) -> Callable[..., Any]:
    """What `_VF.gru_cell` and its like do."""

    def run(x: Tensor, state: Any, w_x: Tensor, w_h: Tensor, b_x: Any = None, b_h: Any = None) -> Any:
        single = isinstance(state, torch.Tensor)
        found = cell(functional.linear(x, w_x, b_x), [state] if single else state, (w_h, b_h))
        return found[0] if single else found

    return run


OPTIONS = len(("bias", "layers", "dropout", "training", "bidirectional", "batch_first"))


def _all_steps(cell: Cell, states: int = 1) -> Callable[..., Any]:
    """What `_VF.gru` and its like do."""

    def run(x: Tensor, state: Any, weights: Any, *options: Any) -> Any:
        bias, layers, dropout, training, both, batch_first = options if len(options) == OPTIONS else _refused()
        state, each = (state, *[None])[:states] if states == 1 else state, 4 if bias else 2
        if len(weights) != layers * (1 + both) * each:
            raise Unstackable("its LSTM has projections, which have no form for stacks")
        x, ends = x.transpose(0, 1) if batch_first else x, []
        for layer in range(layers):
            x = functional.dropout(x, dropout, training) if layer else x
            found = []
            for direction in range(1 + both):
                number = layer * (1 + both) + direction
                w_x, w_h, *biases = weights[number * each : (number + 1) * each]
                h, steps = tuple(s[number] for s in state), []
                gates = functional.linear(x, w_x, biases[0] if bias else None)
                for step in range(len(x))[:: -1 if direction else 1]:
                    h = cell(gates[step], h, (w_h, biases[1] if bias else None))
                    steps.append(h[0])
                found.append(torch.stack(steps[:: -1 if direction else 1]))
                ends.append(h)
            x = torch.cat(found, -1)
        last = [torch.stack(s) for s in zip(*ends, strict=True)]
        return (x.transpose(0, 1) if batch_first else x, *last)

    return run


def _refused() -> Any:
    raise Unstackable("it packs sequences, whose sizes depend on numbers")


# Writing to tensors, and some losses.


def _copy(x: Tensor, y: Tensor, *_: Any, **__: Any) -> Tensor:
    y = y.to(x.dtype, copy=True)  # which may be a part of x
    return x.masked_fill_(x.new_ones((), dtype=torch.bool), 0).add_(y)


def _set(x: Tensor, index: Any, value: Any) -> None:
    parts = index if isinstance(index, tuple) else (index,)
    if isinstance(index, torch.Tensor) and index.dtype == torch.bool and not isinstance(value, torch.Tensor):
        x.masked_fill_(index.reshape(*index.shape, *[1] * (x.ndim - index.ndim)), value)
    elif any(isinstance(part, (torch.Tensor, list)) for part in parts):
        torch.Tensor.__setitem__(x, index, value)
    elif isinstance(value, torch.Tensor):
        _copy(x[index], value)
    else:
        x[index].masked_fill_(x.new_ones((), dtype=torch.bool), value)


def _kl_div(x: Tensor, target: Tensor, *, reduction: str, log_target: bool, **_: Any) -> Tensor:
    if log_target:
        found = target.exp() * (target - x)
    else:
        found = torch.where(target > 0, target * (target.clamp(min=torch.finfo(target.dtype).tiny).log() - x), 0.0)
    return _reduced(found, reduction)


def _bce_with_logits(
    x: Tensor, target: Tensor, *, reduction: str, weight: Any = None, pos_weight: Any = None, **_: Any
) -> Tensor:
    positive = 1 if pos_weight is None else (pos_weight - 1) * target + 1
    found = (1 - target) * x + positive * functional.softplus(-x)
    return _reduced(found if weight is None else found * weight, reduction)


def _reduced(x: Tensor, reduction: str) -> Tensor:
    if reduction == "batchmean":
        return x.sum() / len(x)
    return {"none": x, "mean": x.mean(), "sum": x.sum()}[reduction]


def _bilinear(x: Tensor, y: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    found = torch.einsum("...i,oij,...j->...o", x, weight, y)
    return found if bias is None else found + bias


def _embedding(
    x: Tensor,
    weight: Tensor,
    *,
    padding_idx: int | None,
    max_norm: Any,
    scale_grad_by_freq: bool,
    sparse: bool,
    **_: Any,
) -> Tensor:
    if max_norm is not None or scale_grad_by_freq or sparse:
        raise Unstackable("its embedding bounds norms, scales gradients, or is sparse")
    if padding_idx is not None:  # whose row has no gradient
        rows = torch.arange(len(weight), device=weight.device)
        weight = weight.detach().where((rows == padding_idx % len(weight))[:, None], weight)
    return functional.embedding(x, weight)


def _weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    others = [d for d in range(v.ndim) if d != dim]
    return v * (g / v.square().sum(others, keepdim=True).sqrt())


VF: Any = torch._C._VariableFunctions  # noqa: SLF001 - where torch's recurrent layers call what they are


class Stackable(Replaced):
    """Common functions inside that torch would compute model by model are computed by others."""

    BY: ClassVar = {
        VF.gru: _all_steps(_gru),
        VF.lstm: _all_steps(_lstm, 2),
        VF.rnn_tanh: _all_steps(_rnn(torch.tanh)),
        VF.rnn_relu: _all_steps(_rnn(torch.relu)),
        VF.gru_cell: _one_step(_gru),
        VF.lstm_cell: _one_step(_lstm),
        VF.rnn_tanh_cell: _one_step(_rnn(torch.tanh)),
        VF.rnn_relu_cell: _one_step(_rnn(torch.relu)),
        torch.Tensor.copy_: _copy,
        torch.Tensor.__setitem__: _set,
        functional.kl_div: _kl_div,
        functional.binary_cross_entropy_with_logits: _bce_with_logits,
        torch.bilinear: _bilinear,
        functional.embedding: _embedding,
        torch._weight_norm: _weight_norm,  # noqa: SLF001 - what torch's own parametrization calls
        # Of transformers in evaluation mode, whether they may leave padding out.
        torch._nested_tensor_from_mask_left_aligned: lambda *_: False,  # noqa: SLF001
    }


@contextmanager
def weights_of_layers(model: nn.Module) -> Iterator[None]:
    """Inside, recurrent layers compute with their parameters as they are, and not with those they began with."""
    layers = [module for module in model.modules() if isinstance(module, nn.RNNBase)]
    before = [layer._flat_weights for layer in layers]  # noqa: SLF001 - torch has no other way
    for layer in layers:
        layer._flat_weights = [getattr(layer, name) for name in layer._flat_weights_names]  # noqa: SLF001
    try:
        yield
    finally:
        for layer, weights in zip(layers, before, strict=True):
            layer._flat_weights = weights  # noqa: SLF001
