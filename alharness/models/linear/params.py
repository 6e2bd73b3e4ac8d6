"""What can be chosen about `linear`."""

from __future__ import annotations

from pydantic import Field, field_validator

from alharness.api.params import Params, Source
from alharness.api.vocabulary import FUSED


class LinearParams(Params):
    """Penalty and modalities of `linear`."""

    penalty: float = Field(1.0, ge=1e-6, le=1e9)
    """Of the squared weights, against the loss summed over samples, for standardized inputs: `alpha` of
    scikit-learn's Ridge, and 1 / C of its LogisticRegression."""
    modalities: tuple[Source, ...] | None = Field(None, min_length=1)
    """Modalities that the fused prediction is made from; null for all."""

    @field_validator("modalities")
    @classmethod
    def _modalities_once(cls, modalities: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if modalities and FUSED in modalities:
            raise ValueError(f"{FUSED!r} is all modalities; name modalities, or leave it out")
        if modalities and len(set(modalities)) < len(modalities):
            raise ValueError("a modality is named twice")
        return modalities
