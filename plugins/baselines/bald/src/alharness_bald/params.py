"""What can be chosen about BALD."""

from __future__ import annotations

from pydantic import Field

from alharness import FUSED, Params, Source


class BaldParams(Params):
    """Parameters of BALD."""

    draws: int = Field(25, ge=2, le=10_000)
    """Passes over the pool with dropout on. More draws rank more reliably, and cost as much more time."""

    source: Source = FUSED
    """Whose predictions are looked at: a modality, or `fused`."""
