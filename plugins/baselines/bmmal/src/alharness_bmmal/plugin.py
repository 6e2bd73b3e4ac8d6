"""What the harness knows of BMMAL before it runs."""

from __future__ import annotations

from alharness import Feature, SamplerPlugin, Task, hookimpl

from .params import BmmalParams


def requires(params: BmmalParams) -> set[Feature]:
    """Fused embeddings for `z_source: fused` only."""
    features = {Feature.REPRESENTATIONS, Feature.PREDICTIONS, Feature.DECODE}
    return features | {Feature.EMBEDDINGS} if params.z_source == "fused" else features


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """BMMAL."""
    return [
        SamplerPlugin(
            name="bmmal",
            params=BmmalParams,
            make="alharness_bmmal.sampler:Bmmal",
            requires=requires,
            tasks={Task.CLASSIFICATION},
            summary="k-means++ seeding on gradients, with modalities weighted by their Shapley values",
            reference="Shen, Huang, Yin, Zou, Rajan & See, Towards Balanced Active Learning for Multimodal "
            "Classification, ACM MM 2023, arXiv 2306.08306",
        )
    ]
