"""Registration of `lfmim`, and what can be chosen about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from alharness import ModelPlugin, Params
from alharness_sentiment.modalities import review, unknown_modality

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

CONTEXT = "context"
"""The entry of `encode` that is no modality: the pooled fusion stream."""

Optimization = Literal["adamw", "sgd"]
Length = Annotated[int, Field(ge=1, le=65_536)]


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Sizes of the network, and its optimizer.

    Attributes:
        width: of every stream.
        layers: of every stream.
        heads: of attention.
        lengths: modality -> the steps it is pooled to; `vision` also holds for modalities of other names.
        vision_blocks: blocks in each layer of vision; the other streams have one.
        optimizer: how it is trained.
    """

    width: int
    layers: int
    heads: int
    lengths: Mapping[str, int]
    vision_blocks: int = 1
    optimizer: Optimization = "adamw"


PRESETS = {
    "paper": Architecture(width=128, layers=4, heads=8, lengths={"text": 80, "audio": 100, "vision": 64}),
    "released": Architecture(
        width=1024,
        layers=4,
        heads=16,
        lengths={"text": 80, "audio": 50, "vision": 16},
        vision_blocks=2,
        optimizer="sgd",
    ),
    "small": Architecture(width=64, layers=2, heads=4, lengths={"text": 50, "audio": 32, "vision": 16}),
}


class LfmimParams(Params):
    """Sizes and recipe of `lfmim`."""

    preset: Literal["paper", "released", "small"] = "paper"
    """Sizes: `paper` as in the paper, `released` as in the authors' code (for a GPU), `small` for CPUs."""
    width: int | None = Field(None, ge=4, le=65_536)
    """Width of all streams, an even multiple of `heads`; null takes the preset's."""
    layers: int | None = Field(None, ge=1, le=1000)
    """Layers of every stream; null takes the preset's."""
    heads: int | None = Field(None, ge=1, le=1000)
    """Heads of attention; null takes the preset's."""
    lengths: dict[str, Length] = Field({})
    """Steps by modality that longer sequences are pooled to, in place of the preset's."""
    optimizer: Optimization | None = None
    """`sgd` with step 0.005 / (epoch + 1), as published, or `adamw` with step 1e-4; null takes `sgd` for the
    preset `released` and `adamw` for the others."""
    standardize: bool = True
    """Standardize inputs by the labeled samples and clip them at ±8; the authors' own features do without."""
    embedding_dropout: float = Field(0.25, ge=0, lt=1)
    """Dropout on embedded steps."""
    attention_dropout: float = Field(0.2, ge=0, lt=1)
    """Dropout on the weights of attention."""
    mlp_dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout inside the blocks' two-layer networks."""

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        sizes = self.architecture
        if sizes.width % (2 * sizes.heads):
            raise ValueError(f"the width {sizes.width} is no even multiple of the {sizes.heads} heads")
        return self

    @property
    def architecture(self) -> Architecture:
        """The preset, with what is put in its place."""
        preset = PRESETS[self.preset]
        named = {name: getattr(self, name) for name in ("width", "layers", "heads", "optimizer")}
        chosen: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
        return replace(preset, lengths={**preset.lengths, **self.lengths}, **chosen)

    def mistake(self, modalities: Collection[str]) -> str:
        """What is wrong with the names of these modalities; empty if nothing is."""
        if CONTEXT in modalities:
            return f"lfmim keeps the name {CONTEXT!r} to itself; rename that modality of the data set"
        return unknown_modality({"lengths": self.lengths}, modalities)


LFMIM = ModelPlugin(
    name="lfmim",
    params=LfmimParams,
    make="alharness_sentiment.lfmim.network:Lfmim",
    review=review,
    inputs="sequences",
    summary="a transformer per modality, and a fusing one that looks at all of them layer by layer",
    reference="Sun et al., Layer-wise Fusion with Modality Independence Modeling for Multi-modal Emotion "
    "Recognition, ACL 2023",
    formerly="alharness",
)
