"""Registration of `av_mc`, and what can be chosen about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from alharness import FUSED, ModelPlugin, Params
from alharness_sentiment.modalities import review, unknown_modality

if TYPE_CHECKING:
    from collections.abc import Collection


def _ascending(bounds: tuple[float, float]) -> tuple[float, float]:
    if not bounds[0] < bounds[1]:
        raise ValueError("the lower bound comes first")
    return bounds


Width = Annotated[int, Field(ge=1, le=65_536)]
Weight = Annotated[float, Field(ge=0, le=100)]


class AvMcParams(Params):
    """Sizes, loss weights and variants of `av_mc`."""

    cut: Literal["post_feature", "encoder"] = "post_feature"
    """Place of z_u: the vector that head and fusion share, as published; or the encoder's output, two layers
    before it, so that gradients of a head differ in direction from sample to sample."""
    output_range: Annotated[tuple[float, float], AfterValidator(_ascending)] | None = (-1.0, 1.0)
    """Bounds of the fused prediction in regression, which must hold all labels: [-1, 1] for SIMS, [-3, 3] for
    MOSI; null leaves it unbounded."""
    mixup: bool = False
    """AV-Mixup: per step one more pass for each modality but text, whose inputs are mixed within the batch."""
    weights: dict[str, Weight] = Field({})
    """Loss weight by source, instead of its default: in regression fused 1, text 0.2, audio 0.8, vision 0.4 and
    0.4 for other modalities; in classification 1."""
    encoder_widths: dict[str, Width] = Field(default_factory=dict)
    """Units of each encoder layer by modality, in place of its default: text 64, all others 16."""
    head_widths: dict[str, Width] = Field(default_factory=dict)
    """Units of each head's hidden layers by modality, in place of its default: vision 64, all others 32."""
    fusion: Width = 16
    """Units of the fused head's layers."""
    encoder_dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout on the normalized inputs of all modalities but text."""
    head_dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout before every head, the fused one among them."""

    def mistake(self, modalities: Collection[str]) -> str:
        """What is wrong if a parameter names a modality that is not there; empty if nothing is."""
        named = {
            "weights": set(self.weights) - {FUSED},
            "encoder_widths": self.encoder_widths,
            "head_widths": self.head_widths,
        }
        return unknown_modality(named, modalities)


AV_MC = ModelPlugin(
    name="av_mc",
    params=AvMcParams,
    make="alharness_sentiment.av_mc.network:AvMc",
    review=review,
    inputs="pooled",
    summary="a head of three layers per modality and an affine fusion, from the authors of CH-SIMS v2.0",
    reference="Liu et al., Make Acoustic and Visual Cues Matter: CH-SIMS v2.0 Dataset and AV-Mixup "
    "Consistent Module, ICMI 2022; as in thuiar/ch-sims-v2, supervised",
    formerly="alharness",
)
