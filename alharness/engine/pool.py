"""The pool, labeled and unlabeled, and the oracle that knows its labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alharness.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from alharness.api.samples import Array, Inputs, Samples


class Impossible(Exception):
    """A cycle chose what the pool cannot give.

    Attributes:
        cycle: which.
    """

    def __init__(self, cycle: int, what: str) -> None:
        super().__init__(what)
        self.cycle = cycle


@dataclass(frozen=True)
class Pool:
    """All training samples; which of them are labeled. A value: labeling makes a new pool.

    Attributes:
        ids: ids of all samples, in canonical order.
        labeled: positions of the labeled ones, in the order in which they were bought.
    """

    ids: tuple[str, ...]
    labeled: tuple[int, ...] = ()

    @property
    def unlabeled(self) -> NDArray[np.int64]:
        """Positions of the unlabeled samples, ascending."""
        return np.flatnonzero(~self._mask())

    @property
    def known(self) -> NDArray[np.int64]:
        """Positions of the labeled samples, ascending."""
        return np.flatnonzero(self._mask())

    def draw(self, size: int, rng: np.random.Generator) -> Pool:
        """The initial pool: `size` labels at random."""
        return self.label(rng.permutation(self.unlabeled)[:size].tolist())

    def label(self, positions: Sequence[int]) -> Pool:
        """The pool after these were labeled. Raises RunError for a position out of range or labeled already."""
        new = list(positions)
        if len({*self.labeled, *new}) != len(self.labeled) + len(new):
            raise RunError("a sample would be labeled twice")
        if any(not 0 <= i < len(self.ids) for i in new):
            raise RunError(f"a position is outside the pool of {len(self.ids)} samples")
        return Pool(self.ids, (*self.labeled, *new))

    def replay(self, chosen: Sequence[Sequence[str]]) -> Pool:
        """The pool after all cycles that chose these ids; takes time for the pool once, not for each cycle.

        Raises:
            Impossible: an id is not in the pool, or was labeled before.
        """
        position = {sample: i for i, sample in enumerate(self.ids)}
        labeled = {self.ids[i] for i in self.labeled}
        for cycle, samples in enumerate(chosen):
            for sample in samples:
                if sample not in position:
                    raise Impossible(cycle, f"the pool has no sample {sample!r}")
                if sample in labeled:
                    raise Impossible(cycle, f"{sample!r} was labeled from the beginning")
        return self.label([position[sample] for samples in chosen for sample in samples])

    def _mask(self) -> NDArray[np.bool_]:
        mask = np.zeros(len(self.ids), bool)
        mask[np.array(self.labeled, dtype=np.int64)] = True
        return mask


class Oracle:
    """Knows every label of the pool and reveals those that were bought."""

    def __init__(self, train: Samples) -> None:
        self._train = train

    @property
    def inputs(self) -> Inputs:
        """What all may see: inputs without labels."""
        return self._train.inputs

    @property
    def truth(self) -> Mapping[str, Array]:
        """What is known of every sample of made-up data, for controls."""
        return self._train.truth

    def reveal(self, pool: Pool) -> Samples:
        """The labeled samples with their labels, in canonical order, so that equal sets train equal models."""
        return self._train.subset(pool.known)
