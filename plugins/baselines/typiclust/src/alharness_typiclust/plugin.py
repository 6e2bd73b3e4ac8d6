"""What the harness knows of TypiClust before it runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from alharness import Feature, Params, SamplerPlugin, Space, hookimpl


class TypiClustParams(Params):
    """Parameters of TypiClust."""

    space: Space = "inputs"
    """Where samples are clustered. `inputs`: the data set's own vectors, all modalities together;
    `representations`: the encoders' outputs, all together; `embeddings`: the inputs of the fused head's last
    layer."""

    neighbors: Annotated[int, Field(ge=1)] = 20
    """K: a sample is typical if its K nearest neighbors in its cluster are near. Of a small cluster, half its
    samples."""

    smallest: Annotated[int, Field(ge=1)] = 5
    """Clusters of at most so many samples are left out, unless no others are left."""

    most_clusters: Annotated[int, Field(ge=1)] = 500
    """There are as many clusters as labels after the query, but no more than this."""


def requires(params: TypiClustParams) -> set[Feature]:
    """The features of the space."""
    return {Feature(params.space)}


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """TypiClust."""
    return [
        SamplerPlugin(
            name="typiclust",
            params=TypiClustParams,
            make="alharness_typiclust.sampler:TypiClust",
            requires=requires,
            summary="the most typical samples of the largest clusters without a label",
            reference="Hacohen, Dekel & Weinshall, Active Learning on a Budget: Opposite Strategies Suit High and "
            "Low Budgets, ICML 2022, arXiv 2202.02794",
        )
    ]
