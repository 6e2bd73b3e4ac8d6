"""From an MMSA pickle to a stored data set. Runs in a process of its own: see `isolation`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from alharness.datasets.stored.checksum import file_digest
from alharness.datasets.stored.layout import POOLING, SPLITS
from alharness.datasets.stored.manifest import Source
from alharness.datasets.stored.mending import Mender
from alharness.datasets.stored.progress import progress
from alharness.datasets.stored.remarks import describe_repairs
from alharness.datasets.stored.writer import Writer
from alharness.errors import DataError
from alharness.features import Task

from .content import Part, read_content, read_remarks
from .facts import MODALITIES
from .magic import check_beginning
from .unpickler import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from alharness.datasets.stored.manifest import Repairs

    from .facts import Corpus

    Advance = Callable[[int], None]

BLOCK = 2**23
"""Bytes of the file that are converted at a time."""


def convert(corpus: Corpus, source: Path, folder: Path, alive: Advance = lambda _: None) -> list[str]:
    """Write the content of the file into an empty folder, mended and sorted by id.

    Args:
        corpus: which data set it is.
        source: the pickle.
        folder: becomes the data set.
        alive: told of every block, so that the process can end when nobody waits for it.

    Returns:
        Lines to show: sizes, repairs, remarks.

    Raises:
        DataError: the file is not this data set, is damaged, or holds what is no data.
    """
    check_beginning(source)
    size = source.stat().st_size
    with ExitStack() as bars:

        def bar(what: str, total: int) -> Advance:
            move = bars.enter_context(progress(what, total))

            def advance(amount: int) -> None:
                move(amount)
                alive(amount)

            return advance

        digest = file_digest(source, bar(f"checksum of {source.name}", size))
        loaded = load(source)
        parts = read_content(corpus, source, loaded, folder)
        remarks = read_remarks(corpus, loaded, parts)
        del loaded
        bars.pop_all().close()
        advance = bar(f"converting {source.name}", _total(parts))
        writer = Writer(folder)
        repairs = {split: _write(writer, split, parts.pop(split), source, folder, advance) for split in SPLITS}
    manifest = writer.finish(
        modalities=MODALITIES,
        dataset=corpus.name,
        synthetic=False,
        task=Task.REGRESSION,
        source=Source(name=source.name, bytes=size, sha256=digest),
        repairs=repairs,
        remarks=remarks,
    )
    train, valid, test = manifest.sizes
    return [
        f"{train:,} train, {valid:,} valid, {test:,} test; {', '.join(MODALITIES)}",
        *describe_repairs(manifest),
        *remarks,
        f"Terms: {corpus.published.terms}",
        f"Please cite: {corpus.published.citation}",
    ]


def _write(
    writer: Writer, split: str, part: Part, source: Path, folder: Path, advance: Advance
) -> dict[str, Repairs]:
    order = part.order
    writer.ids(split, [part.ids[row] for row in order])
    repairs = {}
    for modality in MODALITIES:
        mender = Mender()
        try:
            array = part.arrays.pop(modality).open(source, folder)
        except ValueError as error:
            raise DataError(f"{source}: {split}: {modality} cannot be read: {error}; get the file anew") from None
        lengths = part.lengths.get(modality)
        writer.sequence(
            split,
            modality,
            _blocks(array, order, mender, advance),
            shape=array.shape,
            lengths=None if lengths is None else mender.lengths(lengths[order], array.shape[1]),
            pooling=POOLING[modality],
        )
        del array  # gives its pages back
        repairs[modality] = mender.repairs
    writer.labels(split, part.labels[order], {m: labels[order] for m, labels in part.unimodal.items()})
    if part.text_bert is not None:
        writer.extra(split, "text_bert", part.text_bert[order])  # noqa: S610 no query
    return repairs


def _blocks(
    array: NDArray[Any], order: NDArray[np.int64], mender: Mender, advance: Advance
) -> Iterator[NDArray[np.float32]]:
    rows = max(1, BLOCK // array[0].nbytes)
    for start in range(0, len(order), rows):
        block = array[order[start : start + rows]]
        yield mender.values(block)
        advance(block.nbytes)


def _total(parts: dict[str, Part]) -> int:
    arrays = [array for part in parts.values() for array in part.arrays.values()]
    return sum(array.nbytes for array in arrays)
