"""Samples with and without labels as one pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alharness.api.rows import Rows
from alharness.api.samples import Inputs, Splits
from alharness.errors import DataError

if TYPE_CHECKING:
    from alharness.api.dataset import Dataset
    from alharness.api.samples import Array


def joined(one: Inputs, other: Inputs) -> Inputs:
    """The samples of both. Nothing is copied if both are rows of the same arrays.

    Raises:
        DataError: they have other modalities.

    >>> import numpy as np
    >>> from alharness import Inputs
    >>> from alharness.labeling.pooling import joined
    >>> x = np.zeros((3, 2), np.float32)
    >>> a, b = Inputs(ids=("a",), arrays={"text": x[:1]}), Inputs(ids=("b", "c"), arrays={"text": x[1:]})
    >>> joined(a, b).ids
    ('a', 'b', 'c')
    """
    if not len(one) or not len(other):
        return one if len(one) else other
    if one.modalities != other.modalities:
        raise DataError(
            f"labeled samples have {', '.join(one.modalities)}, and unlabeled ones {', '.join(other.modalities)}; "
            "both need the same modalities"
        )
    return Inputs(
        ids=(*one.ids, *other.ids),
        arrays={m: _rows(one.arrays[m], other.arrays[m]) for m in one.arrays},
        lengths={m: np.concatenate([one.lengths[m], other.lengths[m]]) for m in one.lengths},
        pooling=one.pooling,
        present={m: np.concatenate([one.present[m], other.present[m]]) for m in one.present},
    )


def _rows(one: Array | Rows, other: Array | Rows) -> Array | Rows:
    if isinstance(one, Rows) and isinstance(other, Rows) and one.base is other.base:
        return Rows(one.base, np.concatenate([one.positions, other.positions]))
    return np.concatenate([np.asarray(one), np.asarray(other)])


def pool_of(dataset: Dataset) -> tuple[Inputs, dict[str, str]]:
    """Inputs of all samples that could be labeled, in the order of their ids, and the labels of the data."""
    content = dataset.loaded
    labeled = content.train if isinstance(content, Splits) else content
    inputs = labeled.inputs if dataset.unlabeled is None else joined(labeled.inputs, dataset.unlabeled)
    order = np.array(sorted(range(len(inputs)), key=inputs.ids.__getitem__), np.int64)
    names = dataset.classes
    labels = [names[int(y)] if names else repr(float(y)) for y in labeled.labels]
    return inputs.subset(order), dict(zip(labeled.ids, labels, strict=True))
