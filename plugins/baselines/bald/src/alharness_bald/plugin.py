"""What the harness knows of BALD before it runs."""

from __future__ import annotations

from pydantic import Field

from alharness import FUSED, Feature, Params, SamplerPlugin, Setting, Source, Task, hookimpl


class BaldParams(Params):
    """Parameters of BALD."""

    draws: int = Field(25, ge=2, le=10_000)
    """Passes over the pool with dropout on. More draws rank more reliably, and cost as much more time."""

    source: Source = FUSED
    """Whose predictions are looked at: a modality, or `fused`."""


def review(_: BaldParams, setting: Setting) -> list[str]:
    """Say when BALD is dbal."""
    if setting.task == Task.CLASSIFICATION:
        return []
    return ["in regression with one output it ranks exactly as dbal does: both take the largest variance"]


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """BALD."""
    return [
        SamplerPlugin(
            name="bald",
            params=BaldParams,
            make="alharness_bald.sampler:Bald",
            review=review,
            requires={Feature.MC_DRAWS},
            summary="largest mutual information of label and weights under dropout (regression: ranks as dbal)",
            reference="Houlsby et al., Bayesian Active Learning for Classification and Preference Learning, 2011, "
            "arXiv 1112.5745; Gal et al., Deep Bayesian Active Learning with Image Data, ICML 2017, "
            "arXiv 1703.02910",
        )
    ]
