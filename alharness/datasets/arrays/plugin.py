"""Registration of `arrays`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.api.dataset import DatasetFacts, DatasetPlugin
from alharness.api.hooks import hookimpl

from .params import ArraysParams

if TYPE_CHECKING:
    from alharness.api.dataset import Dataset


def inspect(params: ArraysParams) -> DatasetFacts:
    """What labels.csv and the arrays' headers say. Raises DataError if they do not fit together."""
    from .reader import look

    return look(params)


def make(params: ArraysParams) -> Dataset:
    """The data set. Raises DataError for the first thing that is wrong with it."""
    from .reader import load

    return load(params)


@hookimpl
def alharness_datasets() -> list[DatasetPlugin]:
    """Offer `arrays`."""
    return [
        DatasetPlugin(
            name="arrays",
            params=ArraysParams,
            inspect=inspect,
            make=make,
            summary="your own data: one numpy array per modality and a labels.csv",
            license="yours",
        )
    ]
