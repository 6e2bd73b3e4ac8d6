"""What the harness knows of GCNAL before it runs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from alharness import Feature, Params, SamplerPlugin, Setting, SpecError, hookimpl

Affinity = Literal["auto", "cosine", "shifted"]


class GcnalParams(Params):
    """Parameters of GCNAL: its graph, its network, and which of the paper's two rules chooses."""

    variant: Literal["core", "uncertain"] = "core"
    """`core`: CoreGCN, k-center greedy on the network's features. `uncertain`: UncertainGCN, the scores nearest to
    `margin`."""

    loss_weight: Annotated[float, Field(ge=0)] = 1.2
    """λ, the weight of the unlabeled samples in the loss; the labeled ones have weight 1."""

    hidden: Annotated[int, Field(ge=1)] = 128
    """Units of the hidden layer."""

    dropout: Annotated[float, Field(ge=0, le=0.99)] = 0.3
    """Share of the hidden units that are left out in a training step."""

    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    """Step size of Adam."""

    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    """Weight of the squared parameters (Adam's L2 term)."""

    steps: Annotated[int, Field(ge=0)] = 200
    """Training steps, each on the whole graph."""

    margin: Annotated[float, Field(ge=0, le=1)] = 0.1
    """s_margin of `uncertain`: scores near it are chosen; 0 is unlabeled, 1 labeled."""

    affinity: Affinity = "auto"
    """Weight of an edge: `cosine`, as published; `shifted`, (1 + cosine) / 2, which is never negative; `auto`,
    cosine if the weights of every sample's edges add up to a clearly positive number, else shifted."""

    subset: Annotated[int, Field(ge=1)] | None = None
    """Unlabeled samples that enter the graph, drawn at random for each query; null for all."""


def review(params: GcnalParams, setting: Setting) -> list[str]:
    """Raises SpecError if a subset cannot give what is asked for."""
    asked = max(setting.sizes, default=0)
    if params.subset is not None and params.subset < asked:
        raise SpecError(
            f"a subset of {params.subset:,} samples cannot give the {asked:,} that a query asks for; set subset: "
            "null, or at least the budget"
        )
    return []


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
