"""What was corrected in a data set, in words. No heavy imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .manifest import Manifest

WORDS = {
    "nan": "NaN values set to 0",
    "inf": "infinite values set to 0",
    "empty": "sequences of length 0 taken as length 1",
    "cut": "sequences longer than the array cut to its length",
}


def describe_repairs(manifest: Manifest) -> Iterator[str]:
    """A line for each modality and split in which anything was corrected."""
    for split, modalities in manifest.repairs.items():
        for modality, repairs in modalities.items():
            counts = [(getattr(repairs, kind), words) for kind, words in WORDS.items()]
            if found := ", ".join(f"{count:,} {words}" for count, words in counts if count):
                yield f"{split}, {modality}: {found}"
