"""What the harness knows of random sampling before it runs."""

from __future__ import annotations

from alharness import Params, SamplerPlugin, hookimpl


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """Random sampling."""
    return [
        SamplerPlugin(
            name="random",
            params=Params,
            make="alharness_random.sampler:Random",
            summary="uniform, without replacement",
        )
    ]
