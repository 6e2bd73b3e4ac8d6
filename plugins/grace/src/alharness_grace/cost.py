"""How long Eq. 5 will take, told before anything is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alharness import Setting

    from .params import GraceParams

PAIRS_PER_SECOND = 2e8
"""Distances of two samples in one gradient of 128 numbers on two CPU cores (docs/explanation/speed.md)."""

LONG = 60.0
"""Seconds of one query from which on a user should know of the alternative."""

ANCHORS = 1000
"""What the warning proposes."""


def exact_seconds(params: GraceParams, modalities: int, unlabeled: int) -> float:
    """Estimated seconds of Eq. 5 for one query; 0 where its time grows with the pool only.

    Args:
        params: `distance`, `rep_space` and `representativeness_anchors`.
        modalities: their number.
        unlabeled: samples to choose from.
    """
    if params.distance != "euclidean" or params.representativeness_anchors is not None:
        return 0.0
    compared = {"gradient": 2 * modalities, "representation": modalities + 1, "fusion_representation": 1}
    return compared[params.rep_space] * unlabeled**2 / 2 / PAIRS_PER_SECOND


def warn_of_cost(params: GraceParams, setting: Setting) -> list[str]:
    """One line where a query would take long, naming the option that estimates Eq. 5; else none."""
    seconds = [exact_seconds(params, len(setting.modalities), n) for n in setting.unlabeled]
    if max(seconds, default=0.0) < LONG:
        return []
    queries = len(seconds)
    warning = (
        f"it compares every pair of {max(setting.unlabeled):,} unlabeled samples (Eq. 5), which takes about "
        f"{_spoken(max(seconds))} for one query and {_spoken(sum(seconds))} for the {queries} of each seed, on "
        f"two CPU cores; a GPU is faster; representativeness_anchors: {ANCHORS} estimates it from {ANCHORS} "
        "random samples and logs the standard error"
    )
    return [warning]


def _spoken(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
