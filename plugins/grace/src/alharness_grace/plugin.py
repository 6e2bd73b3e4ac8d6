"""What the harness knows of GRACE before it runs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from alharness import Feature, Params, Sampler, SamplerPlugin, hookimpl

NotNegative = Annotated[float, Field(ge=0)]


class GraceParams(Params):
    """Parameters of GRACE: its curriculum, Eq. 7."""

    alpha0: NotNegative = 0.2
    """Weight of easiness in the first query. From about 0.3 on, easiness outweighs the other criteria."""

    alpha_decay: Literal["linear"] | NotNegative = "linear"
    """How much the weight falls from one query to the next; `linear` is alpha0 / number of queries."""

    alpha_min: float | None = 0.0
    """The weight falls no further than this; null for no bound. A negative weight rewards conflict."""


def make(params: GraceParams) -> Sampler:
    """The sampler."""
    from .sampler import Grace

    return Grace(params)


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """GRACE."""
    return [
        SamplerPlugin(
            name="grace",
            params=GraceParams,
            make=make,
            requires={Feature.REPRESENTATIONS, Feature.DECODE},
            summary="large, typical gradients on which the modalities agree; easy samples first (reconstruction)",
            reference="GRACE, ACM MM 2024, pp. 5702-5711, doi 10.1145/3664647.3681617",
        )
    ]
