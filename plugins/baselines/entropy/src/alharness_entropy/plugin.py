"""What the harness knows of entropy sampling before it runs."""

from __future__ import annotations

from alharness import FUSED, Feature, Params, Sampler, SamplerPlugin, Setting, Task, hookimpl


class EntropyParams(Params):
    """Parameters of entropy sampling."""

    source: str = FUSED
    """Whose predictions are looked at: a modality, or `fused`."""


def make(params: EntropyParams) -> Sampler:
    """The sampler."""
    from .sampler import Entropy

    return Entropy(params)


def review(params: EntropyParams, setting: Setting) -> list[str]:
    """Raises SpecError where the source does not exist."""
    setting.require_source(params.source)
    return []


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """Entropy sampling."""
    return [
        SamplerPlugin(
            name="entropy",
            params=EntropyParams,
            make=make,
            review=review,
            requires={Feature.PREDICTIONS},
            tasks={Task.CLASSIFICATION},
            summary="largest entropy of the predicted classes",
            reference="Settles, Active Learning Literature Survey, 2009, section 3.1",
        )
    ]
