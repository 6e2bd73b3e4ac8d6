"""Registration of `av_mc`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness import ModelPlugin, SpecError
from alharness_sentiment.modalities import unknown_modality

from .params import AvMcParams

if TYPE_CHECKING:
    from alharness import DatasetFacts


def review(params: AvMcParams, facts: DatasetFacts) -> tuple[str, ...]:
    """Nothing to warn of. Raises SpecError if a parameter names a modality that the data set does not have."""
    if mistake := unknown_modality(params.named, facts.modalities):
        raise SpecError(mistake)
    return ()


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
