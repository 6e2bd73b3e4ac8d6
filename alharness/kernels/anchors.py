"""Mean distances to a whole pool, estimated from some of its points."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from alharness.errors import SamplerError

from .centering import centroid
from .finite import require_finite
from .precision import full_precision

if TYPE_CHECKING:
    from collections.abc import Sequence


class MeanDistances(NamedTuple):
    """For every point, its estimated mean distance to all others and the standard error of that: (n,) float64.

    >>> import torch
    >>> MeanDistances(means=torch.tensor([2.0]), errors=torch.tensor([0.5])).errors
    tensor([0.5000])
    """

    means: torch.Tensor
    errors: torch.Tensor


@torch.no_grad()
def estimate_mean_distances(
    features: Sequence[torch.Tensor], anchors: torch.Tensor, *, block: int = 1024
) -> MeanDistances:
    """Mean over the anchors q ≠ p of Σ_X ‖x_p − x_q‖, the distance of p and q added up over several features.

    O(n·m·d) time for m anchors; memory is one block of rows times all anchors. If the anchors are drawn at random
    without replacement, the mean over the anchors other than p estimates the mean over the pool without bias,
    also for a p among the anchors. The squared error is estimated without bias by that of a sample from a finite
    population, s²/k · (1 − k/(n − 1)), with k anchors other than p. The anchors are the same for every p, so much
    of the error is common to all points.

    Args:
        features: at least one, each (n, d) with a d of its own, float32 or float64.
        anchors: (m,) distinct positions, at least 3 of them, or all if there are fewer.
        block: rows of a block.

    Raises:
        SamplerError: there are too few anchors, or features have rows that are NaN, infinite, or too large to
            square.

    >>> import torch
    >>> from alharness.kernels import estimate_mean_distances
    >>> X = torch.tensor([[0.0], [1.0], [3.0]])
    >>> estimate_mean_distances([X], anchors=torch.arange(3)).means
    tensor([2.0000, 1.5000, 2.5000], dtype=torch.float64)
    """
    for X in features:
        require_finite(X, "the features")
    n, m = len(features[0]), len(anchors)
    if m < min(3, n):
        raise SamplerError(f"{m} anchors leave no estimate of the error; take at least {min(3, n)}")
    positions = torch.arange(n, device=anchors.device)
    sums, squares = torch.zeros(2, n, dtype=torch.float64, device=anchors.device)
    with full_precision(anchors.device):
        towards = [_Anchored(X, anchors, block) for X in features]
        for start in range(0, n, block):
            rows = positions[start : start + block]
            distances = torch.zeros(len(rows), m, dtype=torch.float64, device=anchors.device)
            for anchored in towards:
                distances += anchored.distances(rows)
            distances.masked_fill_(rows[:, None] == anchors, 0)
            sums[rows] = distances.sum(1)
            squares[rows] = distances.square().sum(1)
    k = m - torch.isin(positions, anchors).double()
    means = sums / k.clamp(min=1)
    variances = (squares - sums * means).clamp(min=0) / (k - 1).clamp(min=1)
    unseen = 1 - k / max(n - 1, 1)
    return MeanDistances(means, (variances / k.clamp(min=1) * unseen).sqrt())


class _Anchored:
    """One feature, and its rows at the anchors, about a common origin."""

    def __init__(self, X: torch.Tensor, anchors: torch.Tensor, block: int) -> None:
        self.X = X
        self.origin = centroid(X, block)
        self.anchors = X[anchors] - self.origin
        self.norms = torch.linalg.vecdot(self.anchors, self.anchors)

    def distances(self, rows: torch.Tensor) -> torch.Tensor:
        """(b, m)."""
        X = self.X[rows] - self.origin
        products = torch.addmm(self.norms, X, self.anchors.T, alpha=-2)
        return products.add_(torch.linalg.vecdot(X, X)[:, None]).clamp_(min=0).sqrt_()
