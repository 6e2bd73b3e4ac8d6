"""Registration of `linear`."""

from __future__ import annotations

from alharness.api.hooks import hookimpl
from alharness.api.model import ModelPlugin
from alharness.api.vocabulary import PROVIDED, Feature

from .params import LinearParams


@hookimpl
def alharness_models() -> list[ModelPlugin]:
    """Offer `linear`."""
    return [
        ModelPlugin(
            name="linear",
            params=LinearParams,
            make="alharness.models.linear.network:Linear",
            provides=PROVIDED - {Feature.MC_DRAWS},
            inputs="pooled",
            incomplete=True,
            fits_itself=True,
            summary="logistic or ridge regression on each modality and on all, solved in milliseconds",
        )
    ]
