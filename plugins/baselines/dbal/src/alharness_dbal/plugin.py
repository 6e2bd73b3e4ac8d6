"""What the harness knows of DBAL before it runs."""

from __future__ import annotations

from alharness import Feature, SamplerPlugin, hookimpl

from .params import DbalParams, review


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """DBAL."""
    return [
        SamplerPlugin(
            name="dbal",
            params=DbalParams,
            make="alharness_dbal.sampler:Dbal",
            review=review,
            requires={Feature.MC_DRAWS},
            summary="most uncertain under dropout: entropy of the mean prediction (regression: variance)",
            reference="Gal et al., Deep Bayesian Active Learning with Image Data, ICML 2017, arXiv 1703.02910",
        )
    ]
