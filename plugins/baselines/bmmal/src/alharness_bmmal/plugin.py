"""What the harness knows of BMMAL before it runs."""

from __future__ import annotations

from typing import Literal

from alharness import Feature, Params, SamplerPlugin, Task, hookimpl


class BmmalParams(Params):
    """Parameters of BMMAL."""

    z_source: Literal["encoder", "fused"] = "encoder"
    """What represents a modality in the gradient: its encoder's output, for networks that fuse late, or the fused
    embedding with all other modalities set to zero, for networks that fuse in the middle."""


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
