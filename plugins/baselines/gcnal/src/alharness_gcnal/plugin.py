"""What the harness knows of GCNAL before it runs."""

from __future__ import annotations

from alharness import Feature, SamplerPlugin, hookimpl

from .params import GcnalParams, review


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """GCNAL."""
    return [
        SamplerPlugin(
            name="gcnal",
            params=GcnalParams,
            make="alharness_gcnal.sampler:Gcnal",
            review=review,
            requires={Feature.EMBEDDINGS},
            summary="graph network that separates labeled from unlabeled samples: CoreGCN or UncertainGCN",
            reference="Caramalau, Bhattarai & Kim, Sequential Graph Convolutional Network for Active Learning, "
            "CVPR 2021, arXiv 2006.10219",
        )
    ]
