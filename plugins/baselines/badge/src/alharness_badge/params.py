"""What can be chosen about BADGE."""

from __future__ import annotations

from typing import Literal

from alharness import FUSED, Params, Source


class BadgeParams(Params):
    """Parameters of BADGE."""

    first: Literal["max_norm", "uniform"] = "max_norm"
    """The first pick: the sample with the largest gradient, as in the authors' program, or any with equal
    probability, as in the definition of k-means++."""

    source: Source = FUSED
    """Whose head gives predictions and embeddings: `fused` or a modality."""
