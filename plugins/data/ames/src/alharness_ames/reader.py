"""From the shipped numbers of 2930 houses to four modalities and a target."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness import Dataset, Inputs, Samples, Task
from alharness.api.dataset import split_in_order
from alharness.api.importing import read_shipped

from .plugin import MODALITIES, AmesParams, Split

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = "houses.npz"


def read(params: AmesParams) -> Dataset:
    """All houses in the published order; the target is the decimal logarithm of the price in dollars.

    Raises:
        DataError: the shipped file is damaged.
    """
    houses = load()
    arrays = {
        name: np.concatenate([houses[f"{name} numbers"], houses[f"{name} kinds"]], axis=1).astype(np.float32)
        for name in MODALITIES
    }
    ids = tuple(f"house-{row:04}" for row in range(1, len(houses["price"]) + 1))
    labels = np.log10(houses["price"].astype(np.float64)).astype(np.float32)  # in float32, machines differ
    samples = Samples(inputs=Inputs(ids=ids, arrays=arrays), labels=labels)
    content = (
        split_in_order(samples, np.argsort(houses["month"], kind="stable"))
        if params.split == Split.TIME
        else samples
    )
    remarks = (
        "kinds that fewer than ten houses have are no column: such houses have 0 in all columns of it",
        "one published column, BsmtFin_SF_1, is left out: it repeats the kind of the basement in place of an area",
    )
    return Dataset(task=Task.REGRESSION, content=content, remarks=remarks)


def load() -> dict[str, NDArray[Any]]:
    """The shipped arrays, of n houses each.

    Returns:
        `price` (n,) in dollars; `month` (n,) of the sale, counted from the year 0; `<modality> numbers` (n, d) and
        `<modality> kinds` (n, k), 0 or 1.

    Raises:
        DataError: the file is damaged.
    """
    return read_shipped(Path(str(files(__package__) / FILE)), "alharness-ames")
