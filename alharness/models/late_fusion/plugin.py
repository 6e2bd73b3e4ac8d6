"""Registration of `late_fusion`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from alharness.api.hooks import hookimpl
from alharness.api.model import ModelPlugin, ModelShape
from alharness.api.params import Params

if TYPE_CHECKING:
    from .network import LateFusion


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


def make(params: LateFusionParams, shape: ModelShape) -> LateFusion:
    """Build the network; weights from torch's global generator."""
    from .network import LateFusion

    return LateFusion(params, shape)


@hookimpl
def alharness_models() -> list[ModelPlugin]:
    """Offer `late_fusion`."""
    return [
        ModelPlugin(
            name="late_fusion",
            params=LateFusionParams,
            make=make,
            inputs="pooled",
            summary="a small network per modality, a head on each, and a fused head on their concatenation",
        )
    ]
