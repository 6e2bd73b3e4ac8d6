"""The content of an MMSA file, split by split, checked against what the data set must be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness import DataError
from alharness.api.importing import shown
from alharness_sentiment.modalities import MODALITIES
from alharness_sentiment.stored.manifest import SPLITS

from .arrays import PickledArray
from .columns import Reader, describe, word_of_shape
from .facts import CORPORA, OWN, SUFFIXES
from .ids import are_row_numbers, check_apart, read_ids
from .keys import find_columns, find_splits, list_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .facts import Corpus

OWN_LABELS = {modality: f"regression_labels_{suffix}" for modality, suffix in SUFFIXES.items()}
LENGTHS = {modality: f"{modality}_lengths" for modality in MODALITIES}
COLUMNS = ("id", *MODALITIES, "regression_labels", *OWN_LABELS.values(), *LENGTHS.values(), "text_bert")


@dataclass(frozen=True, kw_only=True, eq=False)
class SplitContent:
    """One split, in the order of the file.

    Attributes:
        ids: distinct.
        arrays: modality -> (n, t, d) or (n, d), not opened yet.
        lengths: modality -> (n,) valid steps, if the file has them.
        labels: (n,) float32.
        unimodal: modality -> (n,) float32, if there are such.
        text_bert: (n, 3, t) token ids, attention mask and segments, if there are such.
        keys: column -> the key of the file that holds it.
        unread: keys of the file that hold nothing that is used.
    """

    ids: list[str]
    arrays: dict[str, PickledArray]
    lengths: Mapping[str, NDArray[np.int64]]
    labels: NDArray[np.float32]
    unimodal: Mapping[str, NDArray[np.float32]]
    text_bert: NDArray[np.int64] | None
    keys: Mapping[str, Any]
    unread: Sequence[Any]

    @property
    def order(self) -> NDArray[np.int64]:
        """Positions of the rows in the order of their ids."""
        return np.array(sorted(range(len(self.ids)), key=self.ids.__getitem__), np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Content:
    """A whole file.

    Attributes:
        modalities: those that every split has.
        parts: split -> its samples.
        splits: split -> the key of the file that holds it.
        numbered: whether ids were row numbers, and got the name of their split in front.
    """

    modalities: tuple[str, ...]
    parts: dict[str, SplitContent]
    splits: Mapping[str, Any]
    numbered: bool


def read_content(corpus: Corpus, path: Path, loaded: Any, scratch: Path) -> Content:
    """The three splits of an unpickled file.

    Raises:
        DataError: it is not the file of this data set; says what is wrong with which split, and what was expected.
    """
    splits = _splits(corpus, path, loaded)
    columns = {split: find_columns(loaded[key], COLUMNS) for split, key in splits.items()}
    modalities = tuple(m for m in MODALITIES if all(m in keys for keys in columns.values()))
    if corpus is OWN and not modalities:
        raise DataError(
            f"{path}: no modality is in every split, expected text, audio or vision; train has "
            f"{list_keys(loaded[splits['train']])}"
        )
    modalities = MODALITIES if corpus.features else modalities
    reader = Reader(path, scratch)
    readings = {s: _Reading(corpus, f"{path}: {s}", reader, loaded[key], columns[s]) for s, key in splits.items()}
    arrays = {split: reading.features(modalities) for split, reading in readings.items()}
    _check_features(corpus, path, arrays)
    parts = {split: reading.part(arrays[split]) for split, reading in readings.items()}
    numbered = all(are_row_numbers(part.ids) for part in parts.values())
    if numbered:
        parts = {s: replace(part, ids=[f"{s}_{i}" for i in part.ids]) for s, part in parts.items()}
    check_apart(path, {split: part.ids for split, part in parts.items()})
    return Content(modalities=modalities, parts=parts, splits=splits, numbered=numbered)


def _splits(corpus: Corpus, path: Path, loaded: Any) -> dict[str, Any]:
    """Split -> its key in the file; what they hold are mappings."""
    expected = f"expected the splits {', '.join(SPLITS)}; is it {corpus.published.source}?"
    if not isinstance(loaded, dict):
        raise DataError(f"{path}: holds no mapping, but {describe(loaded)}, {expected}")
    splits = find_splits(loaded)
    if missing := [split for split in SPLITS if split not in splits]:
        if not splits and find_columns(loaded, MODALITIES):
            raise DataError(
                f"{path}: holds features of one video or one set of samples ({list_keys(loaded)}), "
                "without splits and labels to learn from; make a file {'train': ..., 'valid': ..., 'test': ...} "
                "of such mappings, as run_dataset of MMSA-FET does"
            )
        raise DataError(f"{path}: has {list_keys(loaded)}, {expected} Missing: {', '.join(missing)}")
    for split, key in splits.items():
        if not isinstance(loaded[key], dict):
            raise DataError(
                f"{path}: {split} is no mapping, but {describe(loaded[key])}; is the file "
                f"{corpus.published.source}?"
            )
    return splits


@dataclass(frozen=True)
class _Reading:
    """One split while it is read."""

    corpus: Corpus
    place: str
    reader: Reader
    content: Mapping[Any, Any]
    keys: dict[str, Any]

    def features(self, modalities: Sequence[str]) -> dict[str, PickledArray]:
        """The arrays of these modalities, not opened. Raises DataError if one, or another column, is missing."""
        for column in ("id", *modalities, "regression_labels"):
            if column not in self.keys:
                raise DataError(
                    f"{self.place} has no {column!r}, only {list_keys(self.content)}; is it "
                    f"{self.corpus.published.source}?"
                )
        return {modality: self._array(modality) for modality in modalities}

    def part(self, arrays: dict[str, PickledArray]) -> SplitContent:
        """The split with these features. Raises DataError if its columns do not fit."""
        modalities = tuple(arrays)
        ids = read_ids(f"{self.place}: id", self._value("id"), self.reader)
        rows = {"id": len(ids)} | {modality: array.shape[0] for modality, array in arrays.items()}
        if len(set(rows.values())) > 1:
            found = ", ".join(f"{name} {n:,}" for name, n in rows.items())
            raise DataError(f"{self.place}: the numbers of rows disagree: {found}; get the file again")
        lengths = {
            m: self.reader.lengths(f"{self.place}: {LENGTHS[m]}", self._value(LENGTHS[m]), len(ids))
            for m in modalities
            if LENGTHS[m] in self.keys
        }
        bert = self._text_bert(len(ids)) if "text" in modalities else None
        told = {m: self._own(m, ids) for m in modalities if OWN_LABELS[m] in self.keys}
        own = {m: labels for m, labels in told.items() if labels is not None}
        used = {"id", *modalities, "regression_labels", *(OWN_LABELS[m] for m in own)}
        used |= {LENGTHS[m] for m in lengths} | ({"text_bert"} if bert is not None else set())
        read = {self.keys[column] for column in used}
        return SplitContent(
            ids=ids,
            arrays=arrays,
            lengths=lengths,
            labels=self._checked("regression_labels", self._numbers("regression_labels", ids), ids),
            unimodal=own,
            text_bert=bert,
            keys=self.keys,
            unread=[key for key in self.content if key not in read],
        )

    def _value(self, column: str) -> Any:
        return self.content[self.keys[column]]

    def _array(self, modality: str) -> PickledArray:
        array = self._value(modality)
        if not (isinstance(array, PickledArray) and array.kind is not None and array.kind.code[0] in "fiu"):
            raise DataError(
                f"{self.place}: {modality} is no array of numbers, but {describe(array)}; expected one numpy "
                f"array (samples, steps, features); is it {self.corpus.published.source}?"
            )
        allowed = (3,) if self.corpus.features else (2, 3)
        if len(array.shape) not in allowed or 0 in array.shape:
            raise DataError(
                f"{self.place}: {modality} has shape {word_of_shape(array.shape)}, expected (samples, steps, "
                "features) with at least one of each"
            )
        return array

    def _own(self, modality: str, ids: list[str]) -> NDArray[np.float32] | None:
        """Labels of one modality; None if they are all NaN, which says that there are none."""
        column = OWN_LABELS[modality]
        values = self._numbers(column, ids)
        return None if np.isnan(values).all() else self._checked(column, values, ids)

    def _numbers(self, column: str, ids: list[str]) -> NDArray[np.float64]:
        return self.reader.numbers(f"{self.place}: {column}", self._value(column), len(ids))

    def _checked(self, column: str, values: NDArray[np.float64], ids: list[str]) -> NDArray[np.float32]:
        largest = self.corpus.largest
        # Written so that NaN is out of range as well.
        bad = np.flatnonzero(~(np.abs(values) <= largest + 1e-6))
        if len(bad):
            within = f"-{largest:g} to {largest:g}" if self.corpus.features else "finite numbers"
            raise DataError(
                f"{self.place}: {column} of {shown(ids[bad[0]])} is {values[bad[0]]:g} ({len(bad):,} such), "
                f"expected {within}"
            )
        return values.astype(np.float32)

    def _text_bert(self, rows: int) -> NDArray[np.int64] | None:
        """(rows, 3, t) token ids, mask and segments, if the file has them, the 3 on either axis."""
        value = self.content.get(self.keys.get("text_bert"))
        if not isinstance(value, PickledArray) or len(value.shape) != 3 or value.shape[0] != rows:
            return None
        tokens = self.reader.open(f"{self.place}: text_bert", value)
        if tokens.shape[1] != 3:
            tokens = tokens.transpose(0, 2, 1)
        if tokens.shape[1] != 3 or tokens.dtype.kind not in "fiu":
            return None
        if not ((tokens == np.rint(tokens)) & (np.abs(tokens) < 2**31)).all():
            return None
        return tokens.astype(np.int64)


def _check_features(corpus: Corpus, path: Path, arrays: Mapping[str, Mapping[str, PickledArray]]) -> None:
    found = {split: {m: array.shape[-1] for m, array in own.items()} for split, own in arrays.items()}
    for split, features in found.items():
        if corpus.features and features != corpus.features:
            fitting = [other.name for other in CORPORA.values() if other.features == features]
            advice = (
                f"those are the features of {fitting[0]!r}: alharness data import {fitting[0]}"
                if fitting
                else f"for features of your own: alharness data import {OWN.name}"
            )
            raise DataError(
                f"{path}: {split} has features {_sizes(features)}, but {corpus.name!r} has "
                f"{_sizes(corpus.features)}; {advice}"
            )
        if features != found["train"]:
            raise DataError(
                f"{path}: {split} has features {_sizes(features)}, but train has {_sizes(found['train'])}; "
                "extract them for all splits in the same way"
            )


def _sizes(features: Mapping[str, int]) -> str:
    return ", ".join(f"{modality} {size}" for modality, size in features.items())
