"""What the harness knows of DBAL before it runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from alharness import FUSED, Feature, Params, Sampler, SamplerPlugin, hookimpl


class DbalParams(Params):
    """Parameters of DBAL."""

    acquisition: Literal["entropy", "variation_ratio", "mean_std", "bald"] = "entropy"
    """What to rank by in classification: the entropy of the mean prediction, one minus its largest probability,
    the mean over classes of the deviation of their probabilities, or the mutual information. In regression the
    variance is ranked, and this must be left out."""

    draws: int = Field(25, ge=2, le=10_000)
    """Passes over the pool with dropout on. More draws rank more reliably, and cost as much more time."""

    source: str = FUSED
    """Whose predictions are looked at: a modality, or `fused`."""


def make(params: DbalParams) -> Sampler:
    """The sampler."""
    from .sampler import Dbal

    return Dbal(params)


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """DBAL."""
    return [
        SamplerPlugin(
            name="dbal",
            params=DbalParams,
            make=make,
            requires={Feature.MC_DRAWS},
            summary="most uncertain under dropout: entropy of the mean prediction (regression: variance)",
            reference="Gal et al., Deep Bayesian Active Learning with Image Data, ICML 2017, arXiv 1703.02910",
        )
    ]
