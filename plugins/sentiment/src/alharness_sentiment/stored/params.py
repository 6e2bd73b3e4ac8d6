"""Parameters of stored data sets. No heavy imports."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from alharness import Params, SpecPath
from alharness_sentiment.standin.settings import StandInSettings

Modality = Literal["text", "audio", "vision"]


def _distinct(names: tuple[Modality, ...]) -> tuple[Modality, ...]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the modality {name!r} is named more than once")
    return names


class FolderParams(Params):
    """Parameters of the folder that an import made."""

    path: SpecPath | None = None
    """Folder that `alharness data import` made; a relative path starts at the spec file's folder. Without it
    `data/<name>` in the current folder, which is the default of the import."""

    modalities: Annotated[tuple[Modality, ...], Field(min_length=1), AfterValidator(_distinct)] | None = None
    """The modalities to use, in this order; all there are if this is left out."""

    unimodal_labels: Literal["own", "copy"] = "own"
    """Labels of a modality alone: its `own` if the data set has any, or a `copy` of the fused ones."""

    def metrics(self, published: str) -> str:
        """Name of the metrics, in `metrics.METRICS`: those that papers on the data set report."""
        return published


class StoredParams(FolderParams):
    """Parameters of a data set that was imported."""

    if_missing: Literal["error", "stand_in"] = "error"
    """What to do if there is no such folder: stop and say where to get the data, or take a synthetic stand-in."""

    stand_in: StandInSettings = StandInSettings()
    """How a stand-in is made."""
