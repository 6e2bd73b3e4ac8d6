"""What the harness knows of random sampling before it runs."""

from __future__ import annotations

from alharness import Params, Sampler, SamplerPlugin, hookimpl


class RandomParams(Params):
    """Nothing to set."""


def make(params: RandomParams) -> Sampler:  # noqa: ARG001 - every sampler is made from its parameters
    """The sampler."""
    from .sampler import Random

    return Random()


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """Random sampling."""
    return [
        SamplerPlugin(
            name="random",
            params=RandomParams,
            make=make,
            summary="uniform, without replacement",
        )
    ]
