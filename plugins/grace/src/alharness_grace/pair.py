"""The two members of G that belong to one modality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Rows are samples.

    Attributes:
        unimodal: (n, D), g_u.
        fused: (n, D'), g_{m_u}. Where D' < D, the missing coordinates are the last ones, and zeros.
        residuals: q_u and q_m, of which the directions are compared where those of the members cannot be, because
            they are gradients of different weights.
    """

    unimodal: Tensor
    fused: Tensor
    residuals: tuple[Tensor, Tensor] | None = None

    @property
    def directions(self) -> tuple[Tensor, Tensor]:
        """What Eq. 6 takes the cosine of; missing coordinates as above."""
        return self.residuals or (self.unimodal, self.fused)
