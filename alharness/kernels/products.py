"""Products of large matrices by oneDNN.

torch has two libraries for them, and takes MKL for float32, which leaves AVX-512 to processors of Intel. With one
thread of an AMD EPYC it makes 110 GFlop/s, and oneDNN 250. A call of oneDNN takes 10 µs longer, so that it pays
for large matrices alone. On a processor of Intel it was not measured; without AVX-512, MKL remains.

The operator is the one that torch's compiler calls, and torch's own affair: if it is missing, MKL remains, too.
What is public, `functional.linear` of a tensor that was sent through `to_mkldnn`, gives the same bits, but copies
all that goes in and out, which with a few hundred columns or fewer takes most of the gain.

For many products at once, `batched`, there is no such operator. But torch leaves them to oneDNN if float32 numbers
may be rounded to bfloat16 on the way. On a processor without tiles for bfloat16 there is nothing to gain from
rounding, and oneDNN computes in float32. Whether it does so is tried once.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd import forward_ad
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

LARGE = 2**21
"""Multiplications from which on oneDNN is the faster one: (256, 128) by (128, 64) takes 27 µs, and 39 with MKL."""

LARGE_OF_MANY = 2**18
"""The same for each of many products: 25 of (32, 177) by (177, 64) take 110 µs, and 200 with MKL."""

PORTIONS = (32, 25, 16, 8, 4, 2)
"""So many products at a time. Stacks of a run often begin with one of these."""


def _is_wide() -> bool:
    """Whether oneDNN is there, and the processor has registers that MKL leaves to those of Intel."""
    wide = torch.backends.cpu.get_cpu_capability() == "AVX512"
    return wide and bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def _onednn() -> Callable[..., Tensor] | None:
    wanted = "(Tensor X, Tensor W, Tensor? B, str attr, Scalar?[] scalars, str? algorithm) -> Tensor Y"
    if not _is_wide():
        return None
    found: Any = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    default = getattr(found, "default", None)
    return default if default is not None and str(default._schema).endswith(wanted) else None  # noqa: SLF001


ONEDNN = _onednn()


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x·weightᵀ + bias, as `torch.nn.functional.linear`, in less time if the matrices are large.

    Args:
        x: (..., n).
        weight: (m, n).
        bias: (m,).

    >>> import torch
    >>> from alharness.kernels import linear
    >>> linear(torch.ones(1, 3), torch.ones(2, 3), torch.tensor([0.0, 1.0]))
    tensor([[3., 4.]])
    """
    if ONEDNN is None or not _suits(x, weight, bias):
        return functional.linear(x, weight, bias)
    return ONEDNN(x, weight, None if bias is None else bias.contiguous(), "none", [], "")  # it reads no strides


def batched(x: Tensor, y: Tensor, bias: Tensor | None = None) -> Tensor:
    """Products of many matrices, by oneDNN if that is quicker and rounds nothing.

    The bits of a product do not depend on how many others there are.

    Args:
        x: (s, n, k).
        y: (s, k, m).
        bias: added to them, (s, 1, m).

    >>> import torch
    >>> from alharness.kernels.products import batched
    >>> batched(torch.ones(2, 1, 3), torch.ones(2, 3, 1)).flatten()
    tensor([3., 3.])
    """
    if x.device.type == "cpu" and x.dtype == torch.float32 and _leaves_float32():
        return _in_portions(x, y, bias)
    return _plain(x, y, bias)


def _in_portions(x: Tensor, y: Tensor, bias: Tensor | None) -> Tensor:
    """In `PORTIONS`, the largest first; of an odd number, the last but one may be computed twice.

    oneDNN keeps a program of about 1 MB for each number of products: a stack that members leave one by one would
    fill the memory with them.
    """
    count = len(x)
    if count in PORTIONS or count == 1:
        return _by_onednn(x, y, bias)
    out = x.new_empty(count, x.shape[1], y.shape[2])
    start = 0
    while start < count:
        size = next((size for size in PORTIONS if size <= count - start), PORTIONS[-1])
        first = min(start, count - size)
        part = slice(first, first + size)
        _by_onednn(x[part], y[part], bias if bias is None else bias[part], out[part])
        start = first + size
    return out


def _plain(x: Tensor, y: Tensor, bias: Tensor | None, out: Tensor | None = None) -> Tensor:
    return torch.bmm(x, y, out=out) if bias is None else torch.baddbmm(bias, x, y, out=out)


def _by_onednn(x: Tensor, y: Tensor, bias: Tensor | None, out: Tensor | None = None) -> Tensor:
    switch: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = switch.fp32_precision
    switch.fp32_precision = "bf16"
    try:
        return _plain(x, y, bias, out)
    finally:
        switch.fp32_precision = before


@cache
def _leaves_float32() -> bool:
    """Whether oneDNN computes in float32 although it may round to bfloat16, and has wider registers than MKL."""
    tiles = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    if not _is_wide() or tiles():
        return False
    x = torch.full((2, 32, 64), 1 + 2.0**-20)
    return torch.equal(_by_onednn(x, torch.eye(64).expand(2, 64, 64), None), x)


def _suits(x: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and weight.dim() == 2
        and x.numel() * len(weight) >= LARGE
        and not _differentiated(x, weight, bias)
        and not torch.is_autocast_enabled("cpu")
    )


def _differentiated(*tensors: Tensor | None) -> bool:
    """Whether torch computes derivatives of these, or many at once, of which oneDNN's operator knows nothing."""
    return (
        (torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in tensors))
        or forward_ad._current_level >= 0  # noqa: SLF001 - torch has no other way to ask
        or torch._C._are_functorch_transforms_active()  # noqa: SLF001
    )
