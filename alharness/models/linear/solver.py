"""The minima of ridge and of logistic regression, for several members of a stack at once.

Both begin at zero and draw nothing, so that equal samples give equal weights. With more columns than rows the
minimum is in the span of the rows, and is looked for there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

ACCURACY = 1e-4
"""Of the gradient of the mean logistic loss: steps end when no entry is larger, as those of scikit-learn do."""
FLAT = 0.2
"""Share of the slope at the beginning of a step that may be left at its end."""
STEPS, TRIALS = 500, 20
"""Most steps to the minimum, and most lengths that are tried for one of them."""


def ridge(x: Tensor, y: Tensor, counted: Tensor, penalty: float) -> Tensor:
    """Weights with the least squared errors and `penalty` times their own squares, summed over samples.

    Args:
        x: (B, n, d) inputs of B members, float64.
        y: (B, n) targets.
        counted: (B, n) 1 for the samples that count, 0 for others.
        penalty: of the weights; the intercept has none.

    Returns:
        (B, 1, d + 1), the intercept last.

    >>> import torch
    >>> from alharness.models.linear.solver import ridge
    >>> x = torch.tensor([[[-1.0], [1.0]]], dtype=torch.float64)
    >>> ridge(x, 10 + 4 * x[:, :, 0], torch.ones_like(x[:, :, 0]), penalty=2.0)
    tensor([[[ 2., 10.]]], dtype=torch.float64)
    """
    counted = counted[:, :, None]
    number = counted.sum(1, keepdim=True).clamp(min=1)
    middle, mean = product(counted.mT, x) / number, product(counted.mT, y[:, :, None]) / number
    x, basis = _in_span((x - middle) * counted)
    factor = _factor(product(x.mT, x), penalty)
    weights = torch.cholesky_solve(product(x.mT, (y[:, :, None] - mean) * counted), factor)
    weights = weights if basis is None else product(basis, weights)
    return torch.cat([weights, mean - product(middle, weights)], 1).mT


def logistic(x: Tensor, y: Tensor, counted: Tensor, penalty: float, classes: int) -> Tensor:
    """Weights with the least cross-entropy and half of `penalty` times their squares, summed over samples.

    The intercepts are penalized, too: a class without a sample keeps a probability above 0.

    Conjugate gradients (Polak & Ribière, 1969) are preconditioned by the curvature at zero, which is factored
    once. The first step is Newton's, and each costs two products with x.

    Args:
        x: (B, n, d) inputs of B members.
        y: (B, n) classes, int64.
        counted: (B, n) 1 for the samples that count, 0 for others.
        penalty: of weights and intercepts.
        classes: C.

    Returns:
        (B, C, d + 1), the intercepts last.

    >>> import torch
    >>> from alharness.models.linear.solver import logistic
    >>> x = torch.tensor([[[-1.0], [1.0]]], dtype=torch.float64)
    >>> found = logistic(x, torch.tensor([[0, 1]]), torch.ones_like(x[:, :, 0]), penalty=1.0, classes=2)
    >>> (found.round(decimals=2) + 0).tolist()
    [[[-0.52, 0.0], [0.52, 0.0]]]
    """
    x, basis = _in_span(x)
    rows = torch.cat([x, torch.ones_like(x[:, :, :1])], 2) * counted[:, :, None]
    columns = rows.mT.contiguous()  # a product is the quickest with the few rows of weights on its left
    wanted = functional.one_hot(y, classes).mT.to(x)
    close = ACCURACY * counted.sum(1).clamp(min=1)
    factor = _factor(product(columns, rows) / classes, penalty)
    weights, logits = x.new_zeros(len(x), classes, rows.shape[2]), torch.zeros_like(wanted)
    chances = logits.softmax(1)
    gradient = change = product(chances - wanted, rows)
    step, size = torch.zeros_like(weights), torch.ones_like(close)
    moving = torch.ones_like(close, dtype=torch.bool)
    for _ in range(STEPS):
        moving = moving & (gradient.abs().amax((1, 2)) > close)
        if not moving.any():
            break
        scaled = torch.cholesky_solve(gradient.mT, factor).mT
        step = _times(step, (_dot(scaled, change) / size).clamp(min=0)) - scaled
        size = torch.where(moving, _dot(gradient, scaled), 1)
        slope = _dot(gradient, step)
        if not (slope < 0).all():  # a member that would be led uphill begins again
            step = torch.where((slope < 0)[:, None, None], step, -scaled)
            slope = torch.where(slope < 0, slope, -size)
        far = product(step, columns)
        tilt, bend = penalty * _dot(weights, step), penalty * _dot(step, step)
        length, chances = _length(logits, chances, wanted, far, slope, tilt, bend, moving)
        weights, logits = weights + _times(step, length), logits + _times(far, length)
        before, gradient = gradient, product(chances - wanted, rows) + penalty * weights
        change, moving = gradient - before, moving & (length > 0)
    weights, intercepts = weights[:, :, :-1], weights[:, :, -1:]
    return torch.cat([weights if basis is None else product(weights, basis.mT), intercepts], 2)


def _length(
    logits: Tensor,
    chances: Tensor,
    wanted: Tensor,
    far: Tensor,
    slope: Tensor,
    tilt: Tensor,
    bend: Tensor,
    moving: Tensor,
) -> tuple[Tensor, Tensor]:
    """How far to go along a step, to a place that is nearly flat: by Newton's method, between bounds.

    Args:
        logits: (B, C, n).
        chances: their probabilities.
        wanted: 1 for the class of each sample.
        far: how the logits change along the step.
        slope: (B,) of the loss at its beginning.
        tilt: (B,) the part of it that is the penalty's.
        bend: (B,) curvature of the penalty.
        moving: (B,) the members that make a step.

    Returns:
        The lengths, and the probabilities there. The length is 0 for other members, and where rounding leaves
        nothing to gain.
    """
    length, low, high = torch.zeros_like(tilt), torch.zeros_like(tilt), torch.full_like(tilt, torch.inf)
    flat = FLAT * slope.abs()
    searching = moving & (slope < 0)
    for _ in range(TRIALS):
        spread = far - (chances * far).sum(1, keepdim=True)
        found = length - slope / (_dot(chances * spread, spread) + bend)
        found = torch.where((low < found) & (found < high), found, (low + high) / 2)
        length = torch.where(searching, found, length)
        chances = (logits + _times(far, length)).softmax(1)
        slope = _dot(chances - wanted, far) + tilt + bend * length
        searching = moving & (slope.abs() > flat)
        if not searching.any():
            break
        low, high = torch.where(slope < 0, length, low), torch.where(slope < 0, high, length)
    return length, chances


def product(a: Tensor, b: Tensor) -> Tensor:
    """(B, n, k) and (B, k, m) as (B, n, m); on a CPU each by itself, with the numbers that it has alone."""
    if a.device.type != "cpu":
        return torch.bmm(a, b)
    return torch.stack([p @ q for p, q in zip(a, b, strict=True)])


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """(B, C, n) and (B, C, n) as (B,)."""
    if a.device.type == "cpu":
        return (a * b).sum((1, 2))
    return product(a.reshape(len(a), 1, -1), b.reshape(len(b), -1, 1)).flatten()


def _times(x: Tensor, factors: Tensor) -> Tensor:
    """(B, C, n), each member times its own factor."""
    return x * factors[:, None, None]


def _in_span(x: Tensor) -> tuple[Tensor, Tensor | None]:
    """Rows by coordinates in their span, and its basis, (B, d, n); as they are if there are no more columns."""
    if x.shape[1] >= x.shape[2]:
        return x, None
    basis, rows = torch.linalg.qr(x.mT)
    return rows.mT.contiguous(), basis


def _factor(curvature: Tensor, penalty: float) -> Tensor:
    """Cholesky's, with the penalty on the diagonal, or what rounding needs if that is more."""
    diagonal = curvature.diagonal(dim1=1, dim2=2)
    least = 10 * torch.finfo(curvature.dtype).eps * diagonal.sum(1, keepdim=True)
    diagonal.add_(least.clamp(min=penalty))
    factor: Tensor = torch.linalg.cholesky(curvature)
    return factor
