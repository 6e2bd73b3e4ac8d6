"""What the harness knows of BMMAL before it runs."""

from __future__ import annotations

from alharness import Feature, Params, Sampler, SamplerPlugin, Task, hookimpl


def make(params: Params) -> Sampler:  # noqa: ARG001 - it has none
    """The sampler."""
    from .sampler import Bmmal

    return Bmmal()


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """BMMAL."""
    return [
        SamplerPlugin(
            name="bmmal",
            params=Params,
            make=make,
            requires={Feature.REPRESENTATIONS, Feature.PREDICTIONS, Feature.DECODE},
            tasks={Task.CLASSIFICATION},
            summary="k-means++ seeding on gradients, with modalities weighted by their Shapley values",
            reference="Shen, Huang, Yin, Zou, Rajan & See, Towards Balanced Active Learning for Multimodal "
            "Classification, ACM MM 2023, arXiv 2306.08306",
        )
    ]
