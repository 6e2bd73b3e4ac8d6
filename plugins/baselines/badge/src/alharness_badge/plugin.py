"""What the harness knows of BADGE before it runs."""

from __future__ import annotations

from typing import Literal

from alharness import FUSED, Feature, Params, SamplerPlugin, Source, Task, hookimpl


class BadgeParams(Params):
    """Parameters of BADGE."""

    first: Literal["max_norm", "uniform"] = "max_norm"
    """The first pick: the sample with the largest gradient, as in the authors' program, or any with equal
    probability, as in the definition of k-means++."""

    source: Source = FUSED
    """Whose head gives predictions and embeddings: `fused` or a modality."""


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
