"""What can be chosen about `late_fusion`."""

from __future__ import annotations

from pydantic import Field

from alharness.api.params import Params


class LateFusionParams(Params):
    """Sizes and loss weights of `late_fusion`."""

    hidden: int = Field(64, ge=1, le=65_536)
    """Units of each encoder's first layer."""
    representation: int = Field(32, ge=1, le=65_536)
    """Size of each z_u, the encoder's output; its unimodal head has a hidden layer of the same size."""
    fusion: int = Field(32, ge=1, le=65_536)
    """Units of the fused head's hidden layer."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Dropout in the encoders and before every head."""
    unimodal_weight: float = Field(0.4, ge=0, le=100)
    """Weight of each unimodal loss; the fused loss has weight 1."""
