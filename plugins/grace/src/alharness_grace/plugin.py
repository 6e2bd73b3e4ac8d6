"""What the harness knows of GRACE before it runs."""

from __future__ import annotations

from alharness import Feature, Sampler, SamplerPlugin, Setting, Task, hookimpl

from .cost import warn_of_cost
from .params import GraceParams, refuse_labels_of_regression


def make(params: GraceParams) -> Sampler:
    """The sampler."""
    from .sampler import Grace

    return Grace(params)


def requires(params: GraceParams) -> set[Feature]:
    """What these parameters read: representations and heads always, the rest for some options only."""
    features = {Feature.REPRESENTATIONS, Feature.DECODE}
    if params.gradient_point == "last_layer" or params.rep_space != "gradient":
        features.add(Feature.EMBEDDINGS)
    if params.pseudo_label == "mc":
        features.add(Feature.MC_DRAWS)
    return features


def review(params: GraceParams, setting: Setting) -> list[str]:
    """Warn of a query that takes long. Raises SamplerError for params that mean nothing in classification."""
    if setting.task == Task.CLASSIFICATION:
        refuse_labels_of_regression(params)
    return warn_of_cost(params, setting)


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """GRACE."""
    return [
        SamplerPlugin(
            name="grace",
            params=GraceParams,
            make=make,
            requires=requires,
            review=review,
            summary="large, typical gradients on which the modalities agree; easy samples first (reconstruction)",
            reference="GRACE, ACM MM 2024, pp. 5702-5711, doi 10.1145/3664647.3681617",
        )
    ]
