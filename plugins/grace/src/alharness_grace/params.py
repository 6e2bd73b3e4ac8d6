"""What can be chosen about GRACE; the README has the reasons."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from alharness import Params, SamplerError

NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class Weights(Params):
    """Weights of the two criteria in a sum."""

    beta: NotNegative = 1.0
    """Weight of informativeness."""

    gamma: NotNegative = 1.0
    """Weight of representativeness."""


class Additive(Params):
    """α·s_e + β·s_i + γ·s_r in place of Eq. 7."""

    additive: Weights
    """Weights of informativeness and representativeness."""


class GraceParams(Params):
    """Parameters of GRACE, in the order in which they take part."""

    gradient_point: Literal["representation", "last_layer"] = "representation"
    """Where gradients are taken: at the representations, or at the weights of the heads' last layers."""

    pseudo_label: Literal["expected", "cross", "consensus", "zero", "jacobian", "pairwise", "mc"] = "expected"
    """Which label the gradients pull toward in regression. In classification it is what the fused head predicts,
    and this must be left out."""

    sigma: Literal["auto"] | Positive = "auto"
    """Spread of the `expected` label, in units of the labels; `auto` is the root mean square of o_u - o_m."""

    draws: int = Field(25, ge=2, le=10_000)
    """Passes over the pool with dropout on, from which the `mc` label has its spread."""

    member_scaling: Literal["none", "pool_rms"] = "none"
    """`pool_rms` divides each gradient by the root mean square length it has over the pool."""

    norm_reduce: Literal["sum", "concat"] = "sum"
    """Informativeness is the sum of the lengths of the gradients, or the length of all of them as one vector."""

    rep_space: Literal["gradient", "representation", "fusion_representation"] = "gradient"
    """Where samples are near: in their gradients, in their representations and the fused embedding, or in the
    fused embedding alone."""

    distance: Literal["euclidean", "sqeuclidean", "cosine"] = "euclidean"
    """Distance of two samples in each gradient or representation; they are added up."""

    representativeness: Literal["near", "far", "reciprocal"] = "near"
    """Which samples represent the pool: those near to the others, those far from them, or near ones by
    1 / mean distance."""

    representativeness_anchors: Annotated[int, Field(ge=2)] | None = None
    """Estimate the Euclidean distances to the pool from this many random other samples; null is exact."""

    easiness: Literal["cosine", "neg_difference"] = "cosine"
    """A sample is easy if the gradients of each head and of the fused head have one direction, or if they
    differ little."""

    normalize: Literal["min_max", "rank"] = "min_max"
    """How each criterion is brought to [0, 1] over the pool."""

    combine: Literal["product"] | Additive = "product"
    """Informativeness times representativeness, or `{additive: {beta: 1, gamma: 10}}` for their weighted sum."""

    alpha0: NotNegative = 0.2
    """Weight of easiness in the first query. From about 0.3 on, easiness outweighs the other criteria."""

    alpha_decay: Literal["linear"] | NotNegative = "linear"
    """How much the weight falls from one query to the next; `linear` is alpha0 / number of queries."""

    alpha_min: float | None = 0.0
    """The weight falls no further than this; null for no bound. A negative weight rewards conflict."""

    @model_validator(mode="after")
    def _refuse_what_cannot_be_combined(self) -> Self:
        # Values are compared with the defaults: a stored spec names them all, which asks for nothing.
        if self.sigma != "auto" and self.pseudo_label != "expected":
            raise ValueError(
                f"sigma is the spread of the pseudo_label 'expected', and {self.pseudo_label!r} has none that can "
                "be set; leave sigma out, or pseudo_label"
            )
        if self.draws != type(self).model_fields["draws"].default and self.pseudo_label != "mc":
            raise ValueError(
                f"draws are made for the pseudo_label 'mc' only, and it is {self.pseudo_label!r}; "
                "leave draws out, or set pseudo_label: mc"
            )
        if self.gradient_point == "last_layer" and self.easiness == "neg_difference":
            raise ValueError(
                "easiness 'neg_difference' subtracts the gradients of two heads, and at gradient_point "
                "'last_layer' they belong to different weights; choose easiness: cosine, or "
                "gradient_point: representation"
            )
        if self.representativeness_anchors is not None and self.distance != "euclidean":
            raise ValueError(
                f"representativeness_anchors estimate sums of Euclidean distances, and those of {self.distance!r} "
                "are exact in a time that grows with the pool only; leave representativeness_anchors out"
            )
        return self


def refuse_labels_of_regression(params: GraceParams) -> None:
    """Raise SamplerError if params are set that shape the label of a regression: nothing else reads them."""
    for name in ("pseudo_label", "sigma"):
        if (value := getattr(params, name)) != GraceParams.model_fields[name].default:
            raise SamplerError(
                f"{name} {value!r} is for regression, and this is classification, whose label is the class "
                f"that the fused head predicts; leave {name} out of its params"
            )
