"""The content of an MMSA file, split by split, checked against what the data set must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.datasets.stored.layout import SPLITS
from alharness.errors import DataError

from .arrays import PickledArray
from .columns import read_lengths, read_numbers, read_texts
from .facts import CORPORA, MODALITIES, SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from .facts import Corpus

REQUIRED = ("id", *MODALITIES, "regression_labels")
SHOWN = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """One split, in the order of the file.

    Attributes:
        ids: distinct.
        arrays: modality -> (n, t, d), not opened yet.
        lengths: modality -> (n,) valid steps, where they are known.
        labels: (n,) float32.
        unimodal: modality -> (n,) float32, where there are such.
        text_bert: (n, 3, t) token ids, attention mask and segments, where there are such.
    """

    ids: list[str]
    arrays: dict[str, PickledArray]
    lengths: Mapping[str, NDArray[np.int64]]
    labels: NDArray[np.float32]
    unimodal: Mapping[str, NDArray[np.float32]]
    text_bert: NDArray[np.int64] | None

    @property
    def order(self) -> NDArray[np.int64]:
        """Positions of the rows in the order of their ids."""
        return np.array(sorted(range(len(self.ids)), key=self.ids.__getitem__), np.int64)


def read_content(corpus: Corpus, path: Path, loaded: Any, scratch: Path) -> dict[str, Part]:
    """The three splits of an unpickled file.

    Raises:
        DataError: it is not the file of this data set; says what is wrong with which split, and what was expected.
    """
    if not isinstance(loaded, dict) or not set(SPLITS) <= set(loaded):
        found = f"has {_listed(loaded)}" if isinstance(loaded, dict) else "holds no mapping"
        raise DataError(
            f"{path}: {found}, expected the splits {', '.join(SPLITS)}; is it {corpus.published.source}?"
        )
    parts = {split: _part(corpus, path, split, loaded[split], scratch) for split in SPLITS}
    for one, other in (("train", "valid"), ("train", "test"), ("valid", "test")):
        if both := sorted(set(parts[one].ids) & set(parts[other].ids)):
            raise DataError(
                f"{path}: {len(both):,} samples are in {one} and in {other}, so that a test would be no test: "
                f"{', '.join(both[:SHOWN])}; get the file anew, as its publishers offer it"
            )
    return parts


def read_remarks(corpus: Corpus, loaded: Mapping[Any, Any], parts: Mapping[str, Part]) -> tuple[str, ...]:
    """What is worth knowing about a file that can be used."""
    remarks = [f"{key!s:.80} was left out: it is none of the splits" for key in loaded if key not in SPLITS]
    sizes = tuple(len(parts[split].ids) for split in SPLITS)
    if corpus.sizes not in (None, sizes):
        remarks.append(f"the published file has {corpus.sizes} samples in train, valid and test; this has {sizes}")
    known = [set(part.lengths) for part in parts.values()]
    if missing := [m for m in MODALITIES if not all(m in lengths for lengths in known)]:
        remarks.append(f"{', '.join(missing)}: the file has no lengths, so every sequence counts as full")
    if not any(part.unimodal for part in parts.values()):
        remarks.append("no modality has labels of its own; the fused ones serve for all")
    return tuple(remarks)


def _part(corpus: Corpus, path: Path, split: str, content: Any, scratch: Path) -> Part:
    place = f"{path}: {split}"
    if not isinstance(content, dict):
        raise DataError(f"{place} is no mapping; is the file {corpus.published.source}?")
    for key in REQUIRED:
        if key not in content:
            raise DataError(f"{place} has no {key!r}, only {_listed(content)}; is it {corpus.published.source}?")
    arrays = {modality: content[modality] for modality in MODALITIES}
    _check_features(corpus, place, arrays)
    ids = read_texts(place, "id", content["id"], path, scratch)
    _check_ids(place, ids)
    rows = {"id": len(ids)} | {modality: array.shape[0] for modality, array in arrays.items()}
    if len(set(rows.values())) > 1:
        found = ", ".join(f"{name} {n:,}" for name, n in rows.items())
        raise DataError(f"{place}: the numbers of rows disagree: {found}; get the file anew")

    def labels(key: str) -> NDArray[np.float32]:
        values = read_numbers(place, key, content[key], len(ids), path, scratch)
        _check_labels(place, key, values, ids, corpus.largest)
        return values.astype(np.float32)

    own = {m: f"regression_labels_{SUFFIXES[m]}" for m in MODALITIES}
    lengths = {m: f"{m}_lengths" for m in ("audio", "vision")}
    bert = _text_bert(content.get("text_bert"), len(ids), path, scratch)
    known = {
        m: read_lengths(place, key, content[key], len(ids), path, scratch)
        for m, key in lengths.items()
        if key in content
    }
    if bert is not None and bert.shape[2] == arrays["text"].shape[1]:
        known["text"] = bert[:, 1].sum(axis=1)  # the attention mask
    return Part(
        ids=ids,
        arrays=arrays,
        lengths=known,
        labels=labels("regression_labels"),
        unimodal={m: labels(key) for m, key in own.items() if key in content},
        text_bert=bert,
    )


def _check_features(corpus: Corpus, place: str, arrays: Mapping[str, Any]) -> None:
    for modality, array in arrays.items():
        if not (isinstance(array, PickledArray) and array.kind is not None and array.kind.code[0] in "fiu"):
            raise DataError(f"{place}: {modality} is no array of numbers; is it {corpus.published.source}?")
        if len(array.shape) != 3 or 0 in array.shape:
            raise DataError(
                f"{place}: {modality} has shape {array.shape}, expected (samples, steps, features) with at least "
                "one of each"
            )
    found = {modality: array.shape[2] for modality, array in arrays.items()}
    if found != corpus.features:
        fitting = [other.name for other in CORPORA.values() if other.features == found]
        advice = (
            f"; those are the features of {fitting[0]!r}: alharness data import {fitting[0]}" if fitting else ""
        )
        raise DataError(
            f"{place} has features {_sizes(found)}, but {corpus.name!r} has {_sizes(corpus.features)}{advice}"
        )


def _check_ids(place: str, ids: list[str]) -> None:
    if len(set(ids)) < len(ids):
        seen: set[str] = set()
        twice = sorted({i for i in ids if i in seen or seen.add(i)})  # type: ignore[func-returns-value]
        raise DataError(f"{place}: ids stand for more than one sample: {', '.join(twice[:SHOWN])}")


def _check_labels(place: str, key: str, values: NDArray[Any], ids: list[str], largest: float) -> None:
    # Written so that NaN is out of range as well.
    bad = np.flatnonzero(~(np.abs(values) <= largest + 1e-6))
    if len(bad):
        raise DataError(
            f"{place}: {key} of {ids[bad[0]]!r} is {values[bad[0]]:g} ({len(bad):,} such), expected -{largest:g} "
            f"to {largest:g}"
        )


def _text_bert(value: Any, rows: int, path: Path, scratch: Path) -> NDArray[np.int64] | None:
    """Token ids, mask and segments, where the file has them in the usual form."""
    if not isinstance(value, PickledArray) or len(value.shape) != 3 or value.shape[:2] != (rows, 3):
        return None
    tokens = value.open(path, scratch)
    if tokens.dtype.kind not in "fiu" or not np.array_equal(tokens, np.rint(tokens)):
        return None
    return tokens.astype(np.int64)


def _sizes(features: Mapping[str, int]) -> str:
    return ", ".join(f"{modality} {size}" for modality, size in features.items())


def _listed(content: Mapping[Any, Any]) -> str:
    return ", ".join(f"{key!s:.40}" for key in list(content)[:20]) or "nothing"
