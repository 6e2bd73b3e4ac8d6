"""What the harness knows of GRACE before it runs."""

from __future__ import annotations

from alharness import Feature, SamplerPlugin, Setting, Task, hookimpl

from .params import GraceParams, refuse_labels_of_regression

PAIRS_PER_SECOND = 2e8
"""Distances of two samples in one gradient of 128 numbers on two CPU cores (docs/explanation/speed.md)."""

LONG = 60.0
"""Seconds of one query from which on the user should know of the alternative."""

ANCHORS = 1000
"""What the warning proposes."""


def requires(params: GraceParams) -> set[Feature]:
    """What these parameters read: representations and heads always, the rest for some options only."""
    features = {Feature.REPRESENTATIONS, Feature.DECODE}
    if params.gradient_point == "last_layer" or params.rep_space != "gradient":
        features.add(Feature.EMBEDDINGS)
    if params.pseudo_label == "mc":
        features.add(Feature.MC_DRAWS)
    return features


def review(params: GraceParams, setting: Setting) -> list[str]:
    """Warn of a query that takes long, with the option that estimates Eq. 5.

    Raises:
        SamplerError: params are set that only a regression reads, and this is classification.
    """
    if setting.task == Task.CLASSIFICATION:
        refuse_labels_of_regression(params)
    seconds = [exact_seconds(params, len(setting.modalities), n) for n in setting.unlabeled]
    if max(seconds, default=0.0) < LONG:
        return []
    warning = (
        f"it compares every pair of {max(setting.unlabeled):,} unlabeled samples (Eq. 5), which takes about "
        f"{_rounded(max(seconds))} for one query and {_rounded(sum(seconds))} for the {len(seconds)} of each "
        f"seed, on two CPU cores; a GPU is faster; representativeness_anchors: {ANCHORS} estimates it from "
        f"{ANCHORS} random samples and logs the standard error"
    )
    return [warning]


def exact_seconds(params: GraceParams, modalities: int, unlabeled: int) -> float:
    """Estimated seconds of Eq. 5 for one query; 0 if its time grows with the pool only.

    Args:
        params: `distance`, `rep_space` and `representativeness_anchors`.
        modalities: their number.
        unlabeled: samples to choose from.
    """
    if params.distance != "euclidean" or params.representativeness_anchors is not None:
        return 0.0
    compared = {"gradient": 2 * modalities, "representation": modalities + 1, "fusion_representation": 1}
    return compared[params.rep_space] * unlabeled**2 / 2 / PAIRS_PER_SECOND


def _rounded(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """GRACE."""
    return [
        SamplerPlugin(
            name="grace",
            params=GraceParams,
            make="alharness_grace.parts:GraceInParts",
            requires=requires,
            review=review,
            summary="large, typical gradients on which the modalities agree; easy samples first (reconstruction)",
            reference="GRACE, ACM MM 2024, pp. 5702-5711, doi 10.1145/3664647.3681617",
        )
    ]
