"""Gradients of heads, a row per sample and without a loop over samples, and what is done with such rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from .numerics import full_precision, require_finite

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


@torch.no_grad()
def pseudo_residuals(log_probabilities: Tensor, classes: Tensor | None = None) -> Tensor:
    """p − e_ŷ, with ŷ the most probable class, the first of several, or a class that is given.

    Its entry at ŷ is minus the sum of the other probabilities: 1 − p_ŷ would be 0 for every sample whose p_ŷ
    rounds to 1.

    Args:
        log_probabilities: (n, C) float32 or float64.
        classes: (n,) int64 ŷ, such as what another head predicts; by default what these say.

    Returns:
        (n, C) float64.

    >>> import torch
    >>> from alharness.kernels import pseudo_residuals
    >>> pseudo_residuals(torch.tensor([[0.5, 0.25, 0.25]]).log()).round(decimals=3)
    tensor([[-0.5000,  0.2500,  0.2500]], dtype=torch.float64)
    """
    p = log_probabilities.double().exp()
    predicted = (log_probabilities.argmax(1) if classes is None else classes)[:, None]
    p.scatter_(1, predicted, 0)
    return p.scatter_(1, predicted, -p.sum(1, keepdim=True))


def row_norms(X: Tensor) -> Tensor:
    """(n,) float64 Euclidean lengths of the rows of X (n, d).

    In float64 the squares of tiny numbers, such as the gradients of a confident head, do not vanish.

    >>> import torch
    >>> from alharness.kernels import row_norms
    >>> row_norms(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [5.0, 0.0]
    """
    norms: Tensor = torch.linalg.vector_norm(X, dim=1, dtype=torch.float64)
    return norms


def row_cosines(A: Tensor, B: Tensor) -> Tensor:
    """(n,) float64 cosines of the rows of A and B; 0 with a zero vector.

    Args:
        A: (n, d).
        B: (n, d'), d' <= d; coordinates that B lacks are zeros.

    >>> import torch
    >>> from alharness.kernels import row_cosines
    >>> row_cosines(torch.tensor([[1.0, 0.0], [3.0, 4.0]]), torch.tensor([[2.0], [2.0]])).tolist()
    [1.0, 0.6]
    """
    cosines: Tensor = torch.linalg.vecdot(_unit(A)[:, : B.shape[1]], _unit(B))
    return cosines


def row_outer(Q: Tensor, X: Tensor) -> Tensor:
    """(n, r·d) outer products of the rows of Q (n, r) and X (n, d): q_1·x, q_2·x, ..., one after another.

    >>> import torch
    >>> from alharness.kernels import row_outer
    >>> row_outer(torch.tensor([[1.0, 10.0]]), torch.tensor([[2.0, 3.0]])).tolist()
    [[2.0, 3.0, 20.0, 30.0]]
    """
    return torch.einsum("nr,nd->nrd", Q, X).flatten(1)


def _unit(X: Tensor) -> Tensor:
    norms = row_norms(X)[:, None]
    return X / norms.where(norms > 0, 1.0)
