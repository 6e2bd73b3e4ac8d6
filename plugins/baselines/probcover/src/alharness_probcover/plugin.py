"""What the harness knows of ProbCover before it runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from alharness import Feature, Params, SamplerPlugin, Space, hookimpl


class ProbCoverParams(Params):
    """Parameters of ProbCover."""

    space: Space = "inputs"
    """Where distances are measured. `inputs`: the data set's own vectors, all modalities together;
    `representations`: the encoders' outputs, all together; `embeddings`: the inputs of the fused head's last
    layer."""

    radius: Annotated[float, Field(gt=0)] | None = None
    """δ: a sample covers those that are nearer. Null: the largest at which balls are as pure as `purity` says."""

    purity: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Share of the samples whose balls hold samples of one cluster alone, if the radius is to be found."""

    clusters: Annotated[int, Field(ge=2)] | None = None
    """Clusters in place of the classes, to find the radius; null for as many as there are classes, and 10
    in regression."""


def requires(params: ProbCoverParams) -> set[Feature]:
    """The features of the space."""
    return {Feature(params.space)}


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """ProbCover."""
    return [
        SamplerPlugin(
            name="probcover",
            params=ProbCoverParams,
            make="alharness_probcover.sampler:ProbCover",
            requires=requires,
            summary="the samples whose balls cover most of what is not covered yet",
            reference="Yehuda, Dekel, Hacohen & Weinshall, Active Learning Through a Covering Lens, NeurIPS 2022, "
            "arXiv 2205.11320",
        )
    ]
