"""Values and lengths that no model can take: corrected and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .manifest import Repairs

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Mender:
    """Corrects the blocks of one modality of one split, and keeps count."""

    def __init__(self) -> None:
        self._counts = {"nan": 0, "inf": 0, "empty": 0, "cut": 0}

    def values(self, block: NDArray[Any]) -> NDArray[np.float32]:
        """The block as float32; what is NaN, infinite, or too large for float32 becomes 0."""
        with np.errstate(over="ignore", invalid="ignore"):
            single = np.array(block, np.float32)
        bad = ~np.isfinite(single)
        if bad.any():
            nan = int(np.isnan(single).sum())
            self._counts["nan"] += nan
            self._counts["inf"] += int(bad.sum()) - nan
            single[bad] = 0
        return single

    def lengths(self, lengths: NDArray[np.int64], steps: int) -> NDArray[np.int64]:
        """Lengths within 1 and `steps`. A mean over no step at all would be NaN."""
        self._counts["empty"] += int((lengths < 1).sum())
        self._counts["cut"] += int((lengths > steps).sum())
        return lengths.clip(1, steps)

    @property
    def repairs(self) -> Repairs:
        """What was corrected."""
        return Repairs(**self._counts)
