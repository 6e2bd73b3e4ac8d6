"""From an MMSA pickle to a stored data set. Runs in a process of its own: see `isolation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alharness import Task
from alharness_sentiment.stored.importing import Cleaner, describe_import, file_digest, progress
from alharness_sentiment.stored.manifest import POOLING, SPLITS, Source
from alharness_sentiment.stored.writer import Writer

from .columns import Reader
from .content import Content, SplitContent, read_content
from .magic import check_beginning
from .padding import Evidence, Placement, mask_spans
from .remarks import remark_content, remark_lengths
from .unpickler import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from alharness.api.importing import Pooling
    from alharness_sentiment.stored.manifest import Repairs

    from .arrays import PickledArray
    from .facts import Corpus

    Advance = Callable[[int], None]

BLOCK = 2**23
"""Bytes of the file that are converted at a time."""

SAMPLE = 32
"""Sequences of a split that are looked at to find the padded side of a modality."""


def convert(corpus: Corpus, source: Path, folder: Path, alive: Advance = lambda _: None) -> list[str]:
    """Write the content of the file into an empty folder, corrected and sorted by id.

    Args:
        corpus: which data set it is.
        source: the pickle.
        folder: becomes the data set.
        alive: called after each block, so that the process can end when its parent has ended.

    Returns:
        Lines to show: sizes, repairs, remarks.

    Raises:
        DataError: the file is not this data set, is damaged, or holds what is no data.
    """
    check_beginning(source)
    size = source.stat().st_size
    with progress(f"checksum of {source.name}", size) as move:
        digest = file_digest(source, _both(move, alive))
        loaded = load(source)
        content = read_content(corpus, source, loaded, folder)
        remarks = [*remark_content(corpus, loaded, content)]
        del loaded
    conversion = _Conversion(source, folder, content, _pooling(corpus, content))
    with progress(f"converting {source.name}", conversion.total) as move:
        conversion.run(_both(move, alive))
    remarks += remark_lengths(conversion.placed)
    manifest = conversion.writer.finish(
        modalities=content.modalities,
        dataset=corpus.name,
        synthetic=False,
        task=Task.REGRESSION,
        source=Source(name=source.name, bytes=size, sha256=digest),
        repairs=conversion.repairs,
        remarks=tuple(remarks),
    )
    return describe_import(manifest, corpus.published)


def _both(move: Advance, alive: Advance) -> Advance:
    """Moves the bar on, and looks whether the work is still wanted."""

    def advance(amount: int) -> None:
        move(amount)
        alive(amount)

    return advance


class _Conversion:
    """The features of a file on their way into a folder."""

    def __init__(self, source: Path, folder: Path, content: Content, pooling: Mapping[str, Pooling]) -> None:
        self.writer = Writer(folder)
        self.repairs: dict[str, dict[str, Repairs]] = {}
        self.placed: dict[str, dict[str, Placement]] = {m: {} for m in content.modalities}
        self._path = source
        self._reader = Reader(source, folder)
        self._content = content
        self._pooling = pooling
        self._known = {split: _known_steps(part) for split, part in content.parts.items()}

    @property
    def total(self) -> int:
        """Bytes of all features."""
        return sum(array.nbytes for part in self._content.parts.values() for array in part.arrays.values())

    def run(self, advance: Advance) -> None:
        """Write everything but the manifest. Raises DataError if an array is damaged."""
        evidence = {modality: self._find_side(modality) for modality in self._content.modalities}
        for split in SPLITS:
            part = self._content.parts[split]
            order = part.order
            self.writer.ids(split, [part.ids[row] for row in order])
            self.repairs[split] = {m: self._modality(split, m, order, evidence[m], advance) for m in evidence}
            own = {modality: labels[order] for modality, labels in part.unimodal.items()}
            self.writer.labels(split, part.labels[order], own)
            if part.text_bert is not None:
                self.writer.extra(split, "text_bert", _at_front(part.text_bert[order]))  # noqa: S610 no query

    def _find_side(self, modality: str) -> Evidence:
        """On which side the modality is padded, as some sequences of every split show."""
        evidence, cleaner = Evidence(), Cleaner()
        for split, part in self._content.parts.items():
            array = self._open(split, modality, part.arrays[modality])
            lengths, _ = self._known[split].get(modality, (None, None))
            rows = np.arange(len(array)) if lengths is None else np.flatnonzero(lengths < array.shape[1])
            chosen = rows[np.unique(np.linspace(0, len(rows) - 1, SAMPLE).astype(np.int64))] if len(rows) else rows
            for start, block in _blocks(array, chosen):
                some = None if lengths is None else lengths[chosen[start : start + len(block)]]
                evidence.add(cleaner.values(block), some)
        return evidence

    def _modality(
        self, split: str, modality: str, order: NDArray[np.int64], evidence: Evidence, advance: Advance
    ) -> Repairs:
        array = self._open(split, modality, self._content.parts[split].arrays[modality])
        cleaner, steps = Cleaner(), array.shape[1]
        known, first = self._known[split].get(modality, (None, None))
        placement = Placement(
            evidence=evidence,
            lengths=np.full(len(order), steps) if known is None else cleaner.lengths(known[order], steps),
            known=known is not None,
            hints=np.full(len(order), -1) if first is None else first[order],
        )

        def cleaned() -> Iterator[NDArray[np.float32]]:
            for start, block in _blocks(array, order):
                single = placement.place(cleaner.values(block), start)
                if known is None:
                    rows = slice(start, start + len(block))
                    placement.lengths[rows] = cleaner.lengths(placement.lengths[rows], steps)
                yield single
                advance(block.nbytes)

        self.writer.sequence(
            split,
            modality,
            cleaned(),
            shape=array.shape,
            lengths=placement.lengths,
            pooling=self._pooling[modality],
            store_full=known is not None,
        )
        self.placed[modality][split] = placement
        return cleaner.repairs

    def _open(self, split: str, modality: str, array: PickledArray) -> NDArray[Any]:
        """(n, t, d); vectors are sequences of one step."""
        found = self._reader.open(f"{self._path}: {split}: {modality}", array)
        return found if found.ndim == 3 else found[:, None, :]


def _pooling(corpus: Corpus, content: Content) -> dict[str, Pooling]:
    """How each modality becomes a vector; the first step of a text is a CLS token if BERT made its features."""
    by_bert = corpus.features or all(part.text_bert is not None for part in content.parts.values())
    return {m: POOLING[m] if by_bert else "mean" for m in content.modalities}


def _known_steps(part: SplitContent) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64] | None]]:
    """Modality -> (n,) steps that the file states, and (n,) the first of them, -1 or None if that is not known.

    The attention mask shows the end of a text.
    """
    known: dict[str, tuple[NDArray[np.int64], NDArray[np.int64] | None]]
    known = {modality: (lengths, None) for modality, lengths in part.lengths.items()}
    bert, text = part.text_bert, part.arrays.get("text")
    if bert is not None and text is not None and text.shape[1:-1] == bert.shape[2:]:
        first, span = mask_spans(bert[:, 1])
        lengths = part.lengths.get("text", span)
        known["text"] = lengths, np.where((span == lengths) & (span > 0), first, -1)
    return known


def _at_front(tokens: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n, 3, t) tokens whose mask begins at step 0."""
    first, span = mask_spans(tokens[:, 1])
    for row in np.flatnonzero((first > 0) & (span > 0)):
        moved = np.zeros_like(tokens[row])
        moved[:, : span[row]] = tokens[row][:, first[row] : first[row] + span[row]]
        tokens[row] = moved
    return tokens


def _blocks(array: NDArray[Any], order: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[Any]]]:
    rows = max(1, BLOCK // array[0].nbytes)
    for start in range(0, len(order), rows):
        yield start, array[order[start : start + rows]]
