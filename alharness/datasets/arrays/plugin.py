"""Registration of `arrays`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from alharness.api.dataset import DatasetFacts, DatasetPlugin
from alharness.api.hooks import hookimpl
from alharness.api.params import Params, SpecPath
from alharness.api.vocabulary import Task

from .names import check_names

if TYPE_CHECKING:
    from alharness.api.dataset import Dataset


class ArraysParams(Params):
    """Parameters of `arrays`."""

    path: SpecPath
    """Folder with labels.csv and a <modality>.npy each; a relative path starts at the spec file's folder."""

    task: Task = Task.CLASSIFICATION
    """`classification` of labels that are names, or `regression` of labels that are numbers."""

    modalities: Annotated[tuple[str, ...] | None, AfterValidator(check_names)] = None
    """The modalities to use, in this order; all there are, in alphabetical order, if this is left out."""


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
