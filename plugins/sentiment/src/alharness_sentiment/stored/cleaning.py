"""Values and lengths that no model can take: corrected, counted, and put in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .manifest import Repairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .manifest import Manifest


WORDS = {
    "nan": "NaN values set to 0",
    "inf": "infinite values set to 0",
    "empty": "sequences of length 0 taken as length 1",
    "cut": "sequences longer than the array cut to its length",
}


class Cleaner:
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


def describe_repairs(manifest: Manifest) -> Iterator[str]:
    """A line for each modality and split in which anything was corrected."""
    for split, modalities in manifest.repairs.items():
        for modality, repairs in modalities.items():
            counts = [(getattr(repairs, kind), words) for kind, words in WORDS.items()]
            if found := ", ".join(f"{count:,} {words}" for count, words in counts if count):
                yield f"{split}, {modality}: {found}"
