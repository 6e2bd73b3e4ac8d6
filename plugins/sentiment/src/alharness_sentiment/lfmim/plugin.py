"""Registration of `lfmim`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness import ModelPlugin, SpecError

from .params import LfmimParams, misnamed

if TYPE_CHECKING:
    from alharness import DatasetFacts


def review(params: LfmimParams, facts: DatasetFacts) -> tuple[str, ...]:
    """Nothing to warn of. Raises SpecError if the data set's modalities do not fit."""
    if mistake := misnamed(params, facts.modalities):
        raise SpecError(mistake)
    return ()


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
