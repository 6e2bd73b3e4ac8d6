"""The minima of ridge and of logistic regression, for several members of a stack at once.

Everything is float64 and begins at zero, so that equal samples give equal weights. With more columns than rows the
minimum is in the span of the rows, and is looked for there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

STEPS, HALVINGS = 200, 30
"""Most steps to the minimum of a logistic regression, and how often one of them is halved at most."""
MEMORY = 10
"""Steps that the next one remembers."""
ACCURACY = 1e-4
"""Of the gradient of the mean loss: steps end when no entry is larger."""


def ridge(x: Tensor, y: Tensor, counted: Tensor, penalty: float) -> Tensor:
    """Weights with the least squared errors and `penalty` times their own squares, summed over samples.

    Args:
        x: (B, n, d) inputs of B members, float64.
        y: (B, n) targets.
        counted: (B, n) 1 for the samples that count, 0 for others.
        penalty: of the weights; the intercept has none.

    Returns:
        (B, d + 1, 1), the intercept last.

    >>> import torch
    >>> from alharness.models.linear.solver import ridge
    >>> x = torch.tensor([[[-1.0], [1.0]]], dtype=torch.float64)
    >>> ridge(x, 10 + 4 * x[:, :, 0], torch.ones_like(x[:, :, 0]), penalty=2.0)
    tensor([[[ 2.],
             [10.]]], dtype=torch.float64)
    """
    counted = counted[:, :, None]
    number = counted.sum(1, keepdim=True).clamp(min=1)
    middle, mean = product(counted.mT, x) / number, product(counted.mT, y[:, :, None]) / number
    x, basis = _in_span((x - middle) * counted)
    factor = torch.linalg.cholesky(_with_diagonal(product(x.mT, x), penalty))
    weights = torch.cholesky_solve(product(x.mT, (y[:, :, None] - mean) * counted), factor)
    weights = _outside(weights, basis)
    return torch.cat([weights, mean - product(middle, weights)], 1)


def logistic(x: Tensor, y: Tensor, counted: Tensor, penalty: float, classes: int) -> Tensor:
    """Weights with the least cross-entropy and half of `penalty` times their squares, summed over samples.

    The intercepts are penalized, too: a class without a sample keeps a probability above 0.

    The first step is Newton's. The curvature there is factored, and L-BFGS continues from it: each further step
    costs two products with x.

    Args:
        x: (B, n, d) inputs of B members, float64.
        y: (B, n) classes, int64.
        counted: (B, n) 1 for the samples that count, 0 for others.
        penalty: of weights and intercepts.
        classes: C.

    Returns:
        (B, d + 1, C), the intercepts last.

    >>> import torch
    >>> from alharness.models.linear.solver import logistic
    >>> x = torch.tensor([[[-1.0], [1.0]]], dtype=torch.float64)
    >>> found = logistic(x, torch.tensor([[0, 1]]), torch.ones_like(x[:, :, 0]), penalty=1.0, classes=2)
    >>> (found.round(decimals=2) + 0).tolist()
    [[[-0.52, 0.52], [0.0, 0.0]]]
    """
    counted = counted[:, :, None]
    x, basis = _in_span(x)
    x = torch.cat([x, torch.ones_like(x[:, :, :1])], 2) * counted
    wanted = functional.one_hot(y, classes).to(x) * counted
    # The curvature at zero, as far as weights do not move the logits of all classes alike.
    factor = torch.linalg.cholesky(_with_diagonal(product(x.mT, x) / classes, penalty))
    memory = _Memory()
    weights, logits = x.new_zeros(len(x), x.shape[2], classes), torch.zeros_like(wanted)
    loss, chances = _loss(logits, wanted, weights, penalty)
    gradient = product(x.mT, chances * counted - wanted)
    scaled = torch.cholesky_solve(gradient, factor)
    for _ in range(STEPS):
        moving = gradient.abs().amax((1, 2)) > ACCURACY * counted.sum((1, 2)).clamp(min=1)
        if not moving.any():
            break
        step = -memory.direction(gradient, scaled)
        slope, far = _dot(gradient, step), product(x, step)
        length = moving.to(x)
        for _ in range(HALVINGS):
            found, there = weights + step * length[:, None, None], logits + far * length[:, None, None]
            found_loss, chances = _loss(there, wanted, found, penalty)
            # Near the minimum, rounding may hide that the loss falls.
            failed = moving & ~(found_loss <= loss + 1e-4 * length * slope + 1e-12 * loss.abs())
            if not failed.any():
                break
            length = torch.where(failed, length / 2, length)
        found_gradient = product(x.mT, chances * counted - wanted) + penalty * found
        found_scaled = torch.cholesky_solve(found_gradient, factor)
        memory.add(found - weights, found_gradient - gradient, found_scaled - scaled)
        weights, logits, loss, gradient, scaled = found, there, found_loss, found_gradient, found_scaled
    return torch.cat([_outside(weights[:, :-1], basis), weights[:, -1:]], 1)


def product(a: Tensor, b: Tensor) -> Tensor:
    """(B, n, k) and (B, k, m) as (B, n, m); on a CPU each by itself, with the numbers that it has alone."""
    return torch.bmm(a, b) if a.device.type != "cpu" else torch.stack([p @ q for p, q in zip(a, b, strict=True)])


class _Memory:
    """The last steps of each member, and how the gradient changed in them: the curvature that they saw."""

    def __init__(self) -> None:
        self._kept: list[tuple[Tensor, ...]] = []

    def add(self, step: Tensor, change: Tensor, scaled: Tensor) -> None:
        """A step, the change of the gradient, and that divided by the curvature that was factored."""
        self._kept = [*self._kept, tuple(x.flatten(1) for x in (step, change, scaled))][-MEMORY:]

    def direction(self, gradient: Tensor, scaled: Tensor) -> Tensor:
        """The gradient divided by what is known of the curvature (Byrd, Nocedal & Schnabel, 1994, equation 3.1).

        Args:
            gradient: (B, d + 1, C).
            scaled: the same, divided by the curvature that was factored.
        """
        if not self._kept:
            return scaled
        s, y, v = (torch.stack(kept, 1) for kept in zip(*self._kept, strict=True))
        inner = product(s, y.mT)
        own = inner.diagonal(dim1=1, dim2=2)
        still = own <= 0  # a member that had arrived made steps of zeros, which say nothing
        size = torch.where(still[:, -1], 1.0, own[:, -1] / _dot(y[:, -1], v[:, -1]))[:, None, None]
        upper = inner.triu() + torch.diag_embed(still.to(own))
        g = gradient.flatten(1)[:, :, None]
        a = torch.linalg.solve_triangular(upper, product(s, g), upper=True)
        b = product(torch.diag_embed(own) + size * product(y, v.mT), a) - size * product(v, g)
        b = torch.linalg.solve_triangular(upper.mT, b, upper=False)
        found = size * scaled.flatten(1)[:, :, None] + product(s.mT, b) - size * product(v.mT, a)
        return found.reshape(gradient.shape)


def _loss(logits: Tensor, wanted: Tensor, weights: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    """(B,) losses and (B, n, C) probabilities."""
    known = logits.log_softmax(2)
    return penalty / 2 * _dot(weights, weights) - _dot(known, wanted), known.exp_()


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """(B, ...) and (B, ...) as (B,)."""
    return product(a.reshape(len(a), 1, -1), b.reshape(len(b), -1, 1)).flatten()


def _in_span(x: Tensor) -> tuple[Tensor, Tensor | None]:
    """Rows by coordinates in their span, and its basis, (B, d, n); as they are if there are no more columns."""
    if x.shape[1] >= x.shape[2]:
        return x, None
    basis, rows = torch.linalg.qr(x.mT)
    return rows.mT.contiguous(), basis


def _outside(weights: Tensor, basis: Tensor | None) -> Tensor:
    """Weights of coordinates in the span as weights of columns."""
    return weights if basis is None else product(basis, weights)


def _with_diagonal(x: Tensor, penalty: float) -> Tensor:
    x.diagonal(dim1=1, dim2=2).add_(penalty)
    return x
