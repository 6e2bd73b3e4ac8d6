"""Facts of each data set of the MMSA format: feature sizes, labels, source and terms. No heavy imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alharness_sentiment.stored.plugin import Published

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SUFFIXES = {"text": "T", "audio": "A", "vision": "V"}
"""Modality -> what the name of its own labels ends with; the fused labels have no suffix."""

_MMSA = (
    "from the links in the README of github.com/thuiar/MMSA: Google Drive folder "
    "1A2S4pqCHryGmiqnNSPLv7rEg63WvjCSk, or Baidu 1a1bDX5htPsZjsRyHcvCKHw (code qq0b)"
)
_CMU = "as set by CMU for its multimodal SDK (to our knowledge); academic research, no redistribution"
_FILM = (
    "none stated; the videos come from films and television, so take it as for academic research only, "
    "cite the paper, never redistribute"
)


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A data set in the MMSA format.

    Attributes:
        published: its name, source, terms and citation.
        features: modality -> numbers per step; empty if they are whatever the file has.
        largest: labels are between -largest and largest.
        sizes: samples in train, valid and test, if they are known for certain.
    """

    published: Published
    features: Mapping[str, int]
    largest: float
    sizes: tuple[int, int, int] | None = None

    @property
    def name(self) -> str:
        """The name in a spec."""
        return self.published.name


SIMSV2 = Corpus(
    published=Published(
        name="simsv2",
        summary="CH-SIMS v2.0: sentiment of 4403 Chinese video clips; text, audio, vision, each with own labels",
        source="ch-simsv2s.pkl",
        where="from the links in the README of github.com/thuiar/ch-sims-v2, v2(s): Google Drive folder "
        "1wFvGS0ebKRvT3q6Xolot-sDtCNfz7HRA, or Baidu 13Ds2_XDIGUqMHt4lXNLQSQ (code icmi)",
        terms=_FILM,
        citation="Y. Liu, Z. Yuan, H. Mao et al.: Make Acoustic and Visual Cues Matter: CH-SIMS v2.0 Dataset and "
        "AV-Mixup Consistent Module. ICMI 2022. DOI 10.1145/3536221.3556630",
        metrics="sims",
    ),
    features={"text": 768, "audio": 25, "vision": 177},
    largest=1.0,
    sizes=(2722, 647, 1034),
)
SIMS = Corpus(
    published=Published(
        name="sims",
        summary="CH-SIMS: sentiment of 2281 Chinese video clips; text, audio, vision, each with own labels",
        source="unaligned_39.pkl",
        where=_MMSA,
        terms=_FILM,
        citation="W. Yu, H. Xu, F. Meng et al.: CH-SIMS: A Chinese Multimodal Sentiment Analysis Dataset with "
        "Fine-grained Annotation of Modality. ACL 2020. DOI 10.18653/v1/2020.acl-main.343",
        metrics="sims",
    ),
    features={"text": 768, "audio": 33, "vision": 709},
    largest=1.0,
)
MOSI = Corpus(
    published=Published(
        name="mosi",
        summary="CMU-MOSI: sentiment of 2199 English monologue clips; text, audio, vision",
        source="unaligned_50.pkl",
        where=_MMSA,
        terms=_CMU,
        citation="A. Zadeh, R. Zellers, E. Pincus, L.-P. Morency: Multimodal Sentiment Intensity Analysis in "
        "Videos: Facial Gestures and Verbal Messages. IEEE Intelligent Systems 31(6), 2016. "
        "DOI 10.1109/MIS.2016.94",
        metrics="mosi",
    ),
    features={"text": 768, "audio": 5, "vision": 20},
    largest=3.0,
    sizes=(1284, 229, 686),
)
MOSEI = Corpus(
    published=Published(
        name="mosei",
        summary="CMU-MOSEI: sentiment of 22856 English monologue clips; text, audio, vision",
        source="unaligned_50.pkl",
        where=_MMSA,
        terms=_CMU,
        citation="A. Zadeh, P. P. Liang, S. Poria, E. Cambria, L.-P. Morency: Multimodal Language Analysis in the "
        "Wild: CMU-MOSEI Dataset and Interpretable Dynamic Fusion Graph. ACL 2018. DOI 10.18653/v1/P18-1208",
        metrics="mosi",
    ),
    features={"text": 768, "audio": 74, "vision": 35},
    largest=3.0,
)
CORPORA = {corpus.name: corpus for corpus in (SIMSV2, SIMS, MOSI, MOSEI)}


class Own(Published):
    """The user's own features: no one else offers them."""

    def how_to_get(self, folder: Path) -> str:
        """What to do if the folder is missing."""
        return (
            f"{folder}: not found; import your file with: alharness data import {self.name} FILE --out FOLDER, "
            "and name that folder: params: {path: FOLDER}"
        )


OWN = Corpus(
    published=Own(
        name="mmsa",
        summary="your own features in the format of MMSA, such as MMSA-FET writes: text, audio or vision",
        source="a pickle {'train': ..., 'valid': ..., 'test': ...} of MMSA's format",
        where="made by run_dataset of MMSA-FET, or by a program of your own",
        terms="those of the videos that the features come from",
        citation="the paper of the videos that the features come from",
        metrics="regression",
    ),
    features={},
    largest=3.4028234663852886e38,  # of float32
)
"""Not a corpus of others: sizes, labels and modalities are whatever the file has."""


def find_corpus(name: str) -> Corpus:
    """The data set of this name."""
    return OWN if name == OWN.name else CORPORA[name]
