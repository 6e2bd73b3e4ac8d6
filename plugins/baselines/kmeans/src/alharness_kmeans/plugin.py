"""What the harness knows of k-means sampling before it runs."""

from __future__ import annotations

from alharness import Feature, Params, SamplerPlugin, Space, hookimpl


class KMeansParams(Params):
    """Parameters of k-means sampling."""

    space: Space = "inputs"
    """What is clustered. `inputs`: the data set's own vectors, all modalities together; `representations`: the
    encoders' outputs, all together; `embeddings`: the inputs of the fused head's last layer."""


def requires(params: KMeansParams) -> set[Feature]:
    """The features of the space."""
    return {Feature(params.space)}


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """K-means sampling."""
    return [
        SamplerPlugin(
            name="kmeans",
            params=KMeansParams,
            make="alharness_kmeans.sampler:KMeans",
            requires=requires,
            summary="the samples nearest to the centers of as many clusters",
            reference="Zhdanov, Diverse mini-batch Active Learning, 2019, arXiv 1901.05954",
        )
    ]
