"""What the harness knows of margin sampling before it runs."""

from __future__ import annotations

from alharness import FUSED, Feature, Params, SamplerPlugin, Source, Task, hookimpl


class MarginParams(Params):
    """Parameters of margin sampling."""

    source: Source = FUSED
    """Whose predictions are looked at: a modality, or `fused`."""


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """Margin sampling."""
    return [
        SamplerPlugin(
            name="margin",
            params=MarginParams,
            make="alharness_margin.sampler:Margin",
            requires={Feature.PREDICTIONS},
            tasks={Task.CLASSIFICATION},
            summary="smallest gap between the two most probable classes",
            reference="Scheffer, Decomain & Wrobel, Active Hidden Markov Models for Information Extraction, "
            "IDA 2001",
        )
    ]
