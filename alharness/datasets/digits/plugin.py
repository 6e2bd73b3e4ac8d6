"""`digits`: three modalities out of one image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alharness.api.dataset import Dataset, DatasetFacts, DatasetPlugin, split_sizes
from alharness.api.hooks import hookimpl
from alharness.api.params import Params
from alharness.api.vocabulary import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLES = 1797
MODALITIES = ("top", "bottom", "profile")

BRIGHTEST = 16.0
"""A pixel counts the set bits of a 4x4 block of the original bitmap."""


def inspect(_params: Params) -> DatasetFacts:
    """What is known without loading scikit-learn."""
    return DatasetFacts(task=Task.CLASSIFICATION, modalities=MODALITIES, sizes=split_sizes(SAMPLES))


def load(_params: Params) -> Dataset:
    """scikit-learn's copy of the UCI test set; it has no split of its own."""
    import numpy as np
    from sklearn.datasets import load_digits

    from alharness.api.samples import Inputs, Samples

    bunch = load_digits()
    inputs = Inputs(ids=tuple(f"digit-{row:04}" for row in range(len(bunch.images))), arrays=cut(bunch.images))
    samples = Samples(inputs=inputs, labels=bunch.target.astype(np.int64))
    return Dataset(
        task=Task.CLASSIFICATION, content=samples, classes=tuple(str(name) for name in bunch.target_names)
    )


def cut(images: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
    """The modalities of images (n, 8, 8) with values 0 to 16, which are scaled to 0 to 1 first.

    Returns:
        `top` and `bottom`, (n, 32): the pixels of the upper and the lower four rows, row by row; `profile`,
        (n, 56): the sums of the 8 columns, the sums of the 8 rows, and the magnitudes of the 8 x 5
        coefficients of the two-dimensional real Fourier transform. All float32.
    """
    import numpy as np

    n = len(images)
    scaled = images / BRIGHTEST
    spectrum = np.abs(np.fft.rfft2(scaled)).reshape(n, -1)
    views = {
        "top": scaled[:, :4].reshape(n, -1),
        "bottom": scaled[:, 4:].reshape(n, -1),
        "profile": np.concatenate([scaled.sum(axis=1), scaled.sum(axis=2), spectrum], axis=1),
    }
    return {modality: view.astype(np.float32) for modality, view in views.items()}


@hookimpl
def alharness_datasets() -> list[DatasetPlugin]:
    """Offer `digits`."""
    return [
        DatasetPlugin(
            name="digits",
            params=Params,
            inspect=inspect,
            make=load,
            summary="1797 real 8x8 images of digits as top half, bottom half and profile; nothing to download",
            reference="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. "
            "UCI Machine Learning Repository, 1998. DOI 10.24432/C50P49",
            license="CC BY 4.0 (UCI, to our knowledge)",
        )
    ]
