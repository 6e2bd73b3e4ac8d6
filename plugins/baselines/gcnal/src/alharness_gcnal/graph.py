"""The graph over all samples and its propagation matrix A, in factors: nothing here is N × N."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch  # noqa: TID253 - only sampler.py imports this module

from alharness import SamplerError

if TYPE_CHECKING:
    from torch import Tensor

    from .plugin import Affinity

CLEARLY_POSITIVE = 1e-3
"""Share of the mean degree that the smallest one must reach, or `auto` gives cosines up."""

ROUNDING = 1e-6
"""A degree up to this (times the mean size, if that is above 1) is nothing but rounding errors."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Propagation:
    """A = S·diag(1/d) + I with S = F Fᵀ − I: edges weigh what two rows of F have in common, and none is a loop.

    `A @ Y` takes O(N·D·k) time. A column of the paper's matrix belongs to the sample that gives, and is divided by
    that sample's degree.

    Attributes:
        F: (N, D) factor of the affinities.
        inverse: (N,) 1/d.
        shifted: whether the affinities are (1 + cosine) / 2.
    """

    F: Tensor
    inverse: Tensor
    shifted: bool

    def __matmul__(self, Y: Tensor) -> Tensor:
        """(N,) or (N, k): A Y = F (Fᵀ Y') − Y' + Y with Y' = Y / d."""
        scaled = Y * (self.inverse if Y.dim() == 1 else self.inverse[:, None])
        return self.F @ (self.F.T @ scaled) - scaled + Y

    def pull(self, y: Tensor) -> Tensor:
        """(N,): Aᵀ y, which takes the gradient of A v to that of v."""
        return (self.F @ (self.F.T @ y) - y) * self.inverse + y


def unit_rows(features: Tensor) -> Tensor:
    """(N, D) rows of length 1; zero rows stay zero."""
    rows: Tensor = torch.nn.functional.normalize(features, dim=1)
    return rows


def connect(X: Tensor, affinity: Affinity) -> Propagation:
    """The propagation matrix of the graph whose nodes are the rows of X.

    Args:
        X: (N, D) rows of length 1 or 0.
        affinity: `cosine`: x_i·x_j. `shifted`: (1 + x_i·x_j) / 2. `auto`: cosine if the smallest degree is above a
            thousandth of the mean degree, else shifted.

    Raises:
        SamplerError: with `cosine`, some degree is 0 up to rounding, so that A does not exist.
    """
    if affinity != "shifted":
        d = _degrees(X)
        if affinity == "cosine":
            _require_no_zero(d)
            return Propagation(F=X, inverse=d.reciprocal().to(X.dtype), shifted=False)
        if d.min() > max(CLEARLY_POSITIVE * d.mean().item(), ROUNDING):
            return Propagation(F=X, inverse=d.reciprocal().to(X.dtype), shifted=False)
    # The ones add a constant to every product: a term of rank one, and F stays a factor.
    F = torch.cat([X, X.new_ones(len(X), 1)], 1) * 0.5**0.5
    d = _degrees(F)
    # Shifted affinities are never negative: whose degree is 0 has no neighbors, and gives nothing to anyone.
    inverse = torch.where(d > ROUNDING, d.reciprocal(), 0)
    return Propagation(F=F, inverse=inverse.to(X.dtype), shifted=True)


def _degrees(F: Tensor) -> Tensor:
    """(N,) float64: d = F (Fᵀ 1) − 1, the column sums of S. It is a difference, so its digits are kept."""
    wide = F.double()
    return wide @ wide.sum(0) - 1


def _require_no_zero(d: Tensor) -> None:
    sizes = d.abs()
    tiny = sizes <= ROUNDING * sizes.mean().clamp(min=1)
    if count := int(tiny.sum()):
        raise SamplerError(
            f"{count} of {len(d)} samples have cosines with all others that add up to 0, and affinity: cosine "
            "divides by that sum; set affinity: auto, or shifted"
        )
