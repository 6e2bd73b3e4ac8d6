"""Registration of `arrays`."""

from __future__ import annotations

from alharness.api.dataset import DatasetFacts, DatasetPlugin
from alharness.api.hooks import hookimpl

from .params import ArraysParams


def inspect(params: ArraysParams) -> DatasetFacts:
    """What labels.csv and the arrays' headers say. Raises DataError if they do not fit together."""
    from .reader import look

    return look(params)


@hookimpl
def alharness_datasets() -> list[DatasetPlugin]:
    """Offer `arrays`."""
    return [
        DatasetPlugin(
            name="arrays",
            params=ArraysParams,
            inspect=inspect,
            make="alharness.datasets.arrays.reader:load",
            summary="your own data: one numpy array per modality and a labels.csv",
            license="yours",
        )
    ]
