"""Registration of `sklearn`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.api.estimators import features_of, made, make, require_task
from alharness.api.hooks import hookimpl
from alharness.api.model import ModelPlugin

from .params import SklearnParams

if TYPE_CHECKING:
    from alharness.api.dataset import DatasetFacts
    from alharness.api.network import MultimodalModel
    from alharness.api.vocabulary import Feature, ModelShape


def make_named(params: SklearnParams, shape: ModelShape) -> MultimodalModel:
    """A model of the estimator that was named."""
    return make(made(params.estimator, params.params), params, shape)


def review(params: SklearnParams, facts: DatasetFacts) -> list[str]:
    """Raise SpecError if there is no such estimator, or if it does not serve the data set."""
    require_task(made(params.estimator, params.params), facts.task)
    return []


def provides(params: SklearnParams) -> frozenset[Feature]:
    """What a sampler can have from it."""
    return features_of(made(params.estimator, params.params))


@hookimpl
def alharness_models() -> list[ModelPlugin]:
    """Offer `sklearn`."""
    return [
        ModelPlugin(
            name="sklearn",
            params=SklearnParams,
            make=make_named,
            provides=provides,
            inputs="pooled",
            incomplete=True,
            fits_itself=True,
            review=review,
            summary="an estimator of scikit-learn on each modality and on all",
            adapts="scikit-learn",
        )
    ]
