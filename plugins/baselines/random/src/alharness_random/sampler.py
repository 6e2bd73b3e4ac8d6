"""Random sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness import Sampler

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from alharness import Query


class Random(Sampler):
    """Every set of `query.size` unlabeled samples is equally likely."""

    def select(self, query: Query) -> NDArray[np.int64]:
        """The head of a random permutation."""
        return query.rng.permutation(len(query.unlabeled))[: query.size]
