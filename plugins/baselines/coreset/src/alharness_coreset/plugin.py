"""What the harness knows of CoreSet before it runs."""

from __future__ import annotations

from alharness import Feature, SamplerPlugin, hookimpl

from .params import CoreSetParams


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """CoreSet."""
    return [
        SamplerPlugin(
            name="coreset",
            params=CoreSetParams,
            make="alharness_coreset.sampler:CoreSet",
            requires={Feature.EMBEDDINGS},
            summary="k-center greedy on the fused embeddings",
            reference="Sener & Savarese, Active Learning for Convolutional Neural Networks: A Core-Set Approach, "
            "ICLR 2018, arXiv 1708.00489",
        )
    ]
