"""What the harness knows of GRACE before it runs."""

from __future__ import annotations

from alharness import Feature, Sampler, SamplerPlugin, hookimpl

from .params import GraceParams


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
            # The last two for some options only, but this is asked before there are params.
            requires={Feature.REPRESENTATIONS, Feature.DECODE, Feature.EMBEDDINGS, Feature.MC_DRAWS},
            summary="large, typical gradients on which the modalities agree; easy samples first (reconstruction)",
            reference="GRACE, ACM MM 2024, pp. 5702-5711, doi 10.1145/3664647.3681617",
        )
    ]
