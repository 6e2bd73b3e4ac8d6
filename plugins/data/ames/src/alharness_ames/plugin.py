"""`ames`: its registration. No heavy imports."""

from __future__ import annotations

from enum import StrEnum

from alharness import DatasetFacts, DatasetPlugin, Params, Task, hookimpl
from alharness.api.dataset import split_sizes

HOUSES = 2930
MODALITIES = ("place", "size", "build", "sale")


class Split(StrEnum):
    """How the houses are split."""

    HOUSES = "houses"
    TIME = "time"


class AmesParams(Params):
    """What can be chosen about `ames`."""

    split: Split = Split.HOUSES
    """`houses`: every seed draws houses; `time`: the first sales are the pool, the last are the test."""


def inspect(_params: AmesParams) -> DatasetFacts:
    """What is known without loading."""
    return DatasetFacts(task=Task.REGRESSION, modalities=MODALITIES, sizes=split_sizes(HOUSES))


@hookimpl
def alharness_datasets() -> list[DatasetPlugin]:
    """Offer `ames`."""
    return [
        DatasetPlugin(
            name="ames",
            params=AmesParams,
            inspect=inspect,
            make="alharness_ames.reader:read",
            summary="2930 houses: price from place, size, build and sale; real regression, nothing to download",
            reference="D. De Cock: Ames, Iowa: Alternative to the Boston Housing Data as an End of Semester "
            "Regression Project. Journal of Statistics Education 19(3), 2011. DOI 10.1080/10691898.2011.11889627",
            license="MIT (as part of modeldata)",
        )
    ]
