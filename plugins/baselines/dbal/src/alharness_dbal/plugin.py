"""What the harness knows of DBAL before it runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from alharness import FUSED, Feature, Params, SamplerError, SamplerPlugin, Setting, Source, Task, hookimpl


class DbalParams(Params):
    """Parameters of DBAL."""

    acquisition: Literal["entropy", "variation_ratio", "mean_std", "bald"] = "entropy"
    """What to rank by in classification: the entropy of the mean prediction, one minus its largest probability,
    the mean over classes of the deviation of their probabilities, or the mutual information. In regression the
    variance is ranked, and this must be left out."""

    draws: int = Field(25, ge=2, le=10_000)
    """Passes over the pool with dropout on. More draws rank more reliably, and cost as much more time."""

    source: Source = FUSED
    """Whose predictions are looked at: a modality, or `fused`."""


def review(params: DbalParams, setting: Setting) -> list[str]:
    """Raises SamplerError for an acquisition of classes in regression."""
    if setting.task == Task.REGRESSION:
        refuse_acquisition_of_classes(params)
    return []


def refuse_acquisition_of_classes(params: DbalParams) -> None:
    """Raise SamplerError if `acquisition` was set: there are no classes in regression."""
    if params.acquisition != "entropy":
        raise SamplerError(
            f"acquisition {params.acquisition!r} ranks probabilities of classes, and this is regression, where "
            "the variance is ranked; leave `acquisition` out of its params"
        )


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
