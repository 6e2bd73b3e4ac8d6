"""What the harness knows of CoreSet before it runs."""

from __future__ import annotations

from typing import Literal

from alharness import Feature, Params, SamplerPlugin, Space, hookimpl


class CoreSetParams(Params):
    """Parameters of CoreSet."""

    space: Space = "embeddings"
    """Where distances are measured. `embeddings`: the inputs of the fused head's last layer; `inputs`: the data
    set's own vectors, all modalities together, for which no model is needed; `representations`: the encoders'
    outputs, all together."""

    dtype: Literal["float32", "float64"] = "float32"
    """Precision of the distances. float64 resolves clusters a thousand times smaller than the gaps between them,
    and takes about twice the time."""


def requires(params: CoreSetParams) -> set[Feature]:
    """The features of the space."""
    return {Feature(params.space)}


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """CoreSet."""
    return [
        SamplerPlugin(
            name="coreset",
            params=CoreSetParams,
            make="alharness_coreset.sampler:CoreSet",
            requires=requires,
            summary="k-center greedy on the fused embeddings, or on the inputs",
            reference="Sener & Savarese, Active Learning for Convolutional Neural Networks: A Core-Set Approach, "
            "ICLR 2018, arXiv 1708.00489",
        )
    ]
