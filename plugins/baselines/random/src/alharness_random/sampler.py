"""Random sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness import Sampler

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from alharness import Part, Parts, Query


class Random(Sampler):
    """Every set of `query.size` unlabeled samples is equally likely."""

    def select(self, query: Query) -> NDArray[np.int64]:
        """The head of a random permutation."""
        return query.rng.permutation(len(query.unlabeled))[: query.size]

    def answer(self, part: Part, question: object) -> None:
        """Nothing is asked: the sizes of the parts are known."""

    def select_in_parts(self, query: Query, parts: Parts) -> NDArray[np.int64]:
        """As likely as `select`; without a permutation of the whole pool, so that the sets differ."""
        return query.rng.choice(sum(parts.sizes), query.size, replace=False)
