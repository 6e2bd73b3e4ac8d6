"""From the shipped numbers of 2930 houses to four modalities and a target."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from alharness import DataError, Dataset, Inputs, Samples, Splits, Task
from alharness.api.dataset import split_sizes

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
    content = by_time(samples, houses["month"]) if params.split == Split.TIME else samples
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
    try:
        with np.load(str(files(__package__) / FILE), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise DataError(f"{files(__package__) / FILE}: damaged ({error}); install alharness-ames again") from None


def by_time(samples: Samples, months: NDArray[Any]) -> Splits:
    """The first sales to be labeled, the next for validation, the last for the test."""
    train, valid, _ = split_sizes(len(samples))
    parts = np.split(np.argsort(months, kind="stable"), [train, train + valid])
    first, next_, last = (samples.subset(np.sort(rows)) for rows in parts)
    return Splits(train=first, valid=next_, test=last)
