"""What the harness knows of entropy sampling before it runs."""

from __future__ import annotations

from alharness import FUSED, Feature, Params, SamplerPlugin, Source, Task, hookimpl


class EntropyParams(Params):
    """Parameters of entropy sampling."""

    source: Source = FUSED
    """Whose predictions are looked at: a modality, or `fused`."""


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """Entropy sampling."""
    return [
        SamplerPlugin(
            name="entropy",
            params=EntropyParams,
            make="alharness_entropy.sampler:Entropy",
            requires={Feature.PREDICTIONS},
            tasks={Task.CLASSIFICATION},
            summary="largest entropy of the predicted classes",
            reference="Settles, Active Learning Literature Survey, 2009, section 3.1",
        )
    ]
