"""Registration of `late_fusion`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.api.hooks import hookimpl
from alharness.api.model import ModelPlugin

from .params import LateFusionParams

if TYPE_CHECKING:
    from alharness.api.vocabulary import ModelShape

    from .network import LateFusion


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
            incomplete=True,
            summary="a small network per modality, a head on each, and a fused head on their concatenation",
        )
    ]
