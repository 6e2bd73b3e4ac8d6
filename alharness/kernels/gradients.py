"""Gradients of heads at the representations, a row per sample, without a loop over samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from .finite import require_finite
from .precision import full_precision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    Z = Mapping[str, Tensor]


class HeadGradients(NamedTuple):
    """Row i belongs to sample i alone.

    Attributes:
        own: modality -> (n, d_u), of the loss of its own head with respect to z_u.
        fused: modality -> (n, d_u), of the loss of the fused head with respect to z_u.
        outputs: source -> (n, C), what the heads give.
    """

    own: dict[str, Tensor]
    fused: dict[str, Tensor]
    outputs: dict[str, Tensor]


def head_gradients(
    decode: Callable[[Z], Z],
    z: Z,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    fused: str = "fused",
    context: Z | None = None,
    batch: int = 1024,
) -> HeadGradients:
    """Gradients of every head's loss at the representations.

    The loss is summed over a batch. In evaluation mode no sample changes another one's output, so row i of the
    gradient of the sum is sample i's own gradient.

    Args:
        decode: the heads, such as `Query.decode`: modality -> (b, d_u) in, source -> (b, C) out.
        z: modality -> (n, d_u), at least one.
        loss: the sum of the samples' losses, from the output of a head (b, C) and, as a constant, that of the
            fused head (b, C).
        fused: name of the fused head among the sources.
        context: what else `decode` takes, by name, (n, ...): constants, such as `View.context()`.
        batch: rows that are differentiated at once.

    Raises:
        SamplerError: representations, outputs or gradients are NaN or infinite.

    >>> import torch
    >>> from alharness.kernels import head_gradients
    >>> z = {"text": torch.tensor([[1.0, 2.0], [3.0, 4.0]])}
    >>> def decode(z):
    ...     return {"text": z["text"].sum(1, keepdim=True), "fused": z["text"].prod(1, keepdim=True)}
    >>> g = head_gradients(decode, z, lambda output, fused: output.sum())
    >>> g.own["text"].tolist(), g.fused["text"].tolist()
    ([[1.0, 1.0], [1.0, 1.0]], [[2.0, 1.0], [4.0, 3.0]])
    """
    for u, x in z.items():
        require_finite(x, f"the representations of {u!r}")
    own, from_fused = ({u: torch.empty_like(x) for u, x in z.items()} for _ in range(2))
    parts: dict[str, list[Tensor]] = {source: [] for source in (*z, fused)}
    first = next(iter(z.values()))
    with full_precision(first.device), torch.enable_grad():
        for start in range(0, len(first), batch):
            rows = slice(start, start + batch)
            leaves = {u: x[rows].clone().requires_grad_() for u, x in z.items()}
            o = decode({**leaves, **{name: x[rows] for name, x in (context or {}).items()}})
            for source, found in parts.items():
                found.append(o[source].detach())
            constant = parts[fused][-1]
            for u, leaf in leaves.items():
                (own[u][rows],) = _gradient(loss(o[u], constant), [leaf])
            for u, g in zip(z, _gradient(loss(o[fused], constant), list(leaves.values())), strict=True):
                from_fused[u][rows] = g
    outputs = {source: torch.cat(found) for source, found in parts.items()}
    for source, output in outputs.items():
        require_finite(output, f"the predictions of {source!r}")
    for u in z:
        require_finite(own[u], f"the gradients of the head of {u!r}")
        require_finite(from_fused[u], f"the gradients of the fused head at {u!r}")
    return HeadGradients(own, from_fused, outputs)


def _gradient(loss: Tensor, leaves: list[Tensor]) -> tuple[Tensor, ...]:
    if not loss.requires_grad:  # the head looks at none of them
        return tuple(torch.zeros_like(leaf) for leaf in leaves)
    return torch.autograd.grad(loss, leaves, retain_graph=True, materialize_grads=True)
