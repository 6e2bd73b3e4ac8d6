"""Registration of `digits`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.api.dataset import DatasetFacts, DatasetPlugin, split_sizes
from alharness.api.hooks import hookimpl
from alharness.api.params import Params
from alharness.api.vocabulary import Task

if TYPE_CHECKING:
    from alharness.api.dataset import Dataset

SAMPLES = 1797
MODALITIES = ("top", "bottom", "profile")


def inspect(_params: Params) -> DatasetFacts:
    """What is known without loading scikit-learn."""
    return DatasetFacts(task=Task.CLASSIFICATION, modalities=MODALITIES, sizes=split_sizes(SAMPLES))


def make(_params: Params) -> Dataset:
    """The images cut into modalities."""
    from .views import load

    return load()


@hookimpl
def alharness_datasets() -> list[DatasetPlugin]:
    """Offer `digits`."""
    return [
        DatasetPlugin(
            name="digits",
            params=Params,
            inspect=inspect,
            make=make,
            summary="1797 real 8x8 images of digits as top half, bottom half and profile; nothing to download",
            reference="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. "
            "UCI Machine Learning Repository, 1998. DOI 10.24432/C50P49",
            license="CC BY 4.0 (UCI, to our knowledge)",
        )
    ]
