"""What the harness knows of margin sampling before it runs."""

from __future__ import annotations

from alharness import FUSED, Feature, Params, Sampler, SamplerPlugin, Setting, Task, hookimpl


class MarginParams(Params):
    """Parameters of margin sampling."""

    source: str = FUSED
    """Whose predictions are looked at: a modality, or `fused`."""


def make(params: MarginParams) -> Sampler:
    """The sampler."""
    from .sampler import Margin

    return Margin(params)


def review(params: MarginParams, setting: Setting) -> list[str]:
    """Raises SpecError where the source does not exist."""
    setting.require_source(params.source)
    return []


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """Margin sampling."""
    return [
        SamplerPlugin(
            name="margin",
            params=MarginParams,
            make=make,
            review=review,
            requires={Feature.PREDICTIONS},
            tasks={Task.CLASSIFICATION},
            summary="smallest gap between the two most probable classes",
            reference="Scheffer, Decomain & Wrobel, Active Hidden Markov Models for Information Extraction, "
            "IDA 2001",
        )
    ]
