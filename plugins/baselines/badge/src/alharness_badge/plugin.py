"""What the harness knows of BADGE before it runs."""

from __future__ import annotations

from alharness import Feature, SamplerPlugin, Task, hookimpl

from .params import BadgeParams


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """BADGE."""
    return [
        SamplerPlugin(
            name="badge",
            params=BadgeParams,
            make="alharness_badge.sampler:Badge",
            requires={Feature.EMBEDDINGS, Feature.PREDICTIONS},
            tasks={Task.CLASSIFICATION},
            summary="k-means++ seeding on gradients of the last layer",
            reference="Ash, Zhang, Krishnamurthy, Langford & Agarwal, Deep Batch Active Learning by Diverse, "
            "Uncertain Gradient Lower Bounds, ICLR 2020, arXiv 1906.03671",
        )
    ]
