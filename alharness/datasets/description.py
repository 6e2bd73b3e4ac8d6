"""A data set in tables: shapes, lengths, labels of every source, how often modalities contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.samples import CONTRADICTION, contradict
from alharness.api.vocabulary import FUSED, Task
from alharness.text.numbers import percent, significant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from alharness.api.dataset import Dataset
    from alharness.api.rows import Rows
    from alharness.api.samples import Samples

MOST_VALUES = 25
"""Distinct targets up to which each is counted by itself."""

MOST_CLASSES = 40
BINS = 10

NO_LABELS = "-"
"""Shown for the labels of a modality in a part that has none of them."""


@dataclass(frozen=True, kw_only=True)
class DescriptionTable:
    """Headings and rows of text."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def describe(dataset: Dataset) -> list[DescriptionTable]:
    """What can be counted. Sequences are opened, not read; those of made-up data are not even made."""
    vectors = dataset.synthetic and dataset.pooled_content is not None
    parts = dataset.pooled().parts if vectors else dataset.parts
    tables = [_shapes(parts)]
    if lengths := _lengths(parts):
        tables.append(lengths)
    if present := _present(parts):
        tables.append(present)
    if any(map(len, parts.values())):
        tables.append(_labels(dataset, parts))
    if contradictions := _contradictions(dataset.task, parts):
        tables.append(contradictions)
    return tables


def _shapes(parts: Mapping[str, Samples]) -> DescriptionTable:
    def shape(array: NDArray[Any] | Rows) -> str:
        sizes = " x ".join(f"{size:,}" for size in array.shape[1:])
        return f"{sizes} ({'vector' if array.ndim == 2 else 'steps x features'})"

    first = next(iter(parts.values()))
    counts = ("samples", *(f"{len(part):,}" for part in parts.values()))
    shapes = [(m, *(shape(part.inputs.arrays[m]) for part in parts.values())) for m in first.inputs.modalities]
    return DescriptionTable(headings=("shapes", *parts), rows=(counts, *shapes))


def _lengths(parts: Mapping[str, Samples]) -> DescriptionTable | None:
    def summary(part: Samples, modality: str) -> str:
        if modality not in part.inputs.lengths or not len(part):
            return "full"
        lengths = part.inputs.lengths[modality]
        return f"{lengths.min()} / {np.median(lengths):g} / {lengths.max()}"

    first = next(iter(parts.values())).inputs
    modalities = [m for m, array in first.arrays.items() if array.ndim == 3]
    rows = tuple((m, *(summary(part, m) for part in parts.values())) for m in modalities)
    return DescriptionTable(headings=("steps: min / median / max", *parts), rows=rows) if rows else None


def _present(parts: Mapping[str, Samples]) -> DescriptionTable | None:
    """Of each modality that samples may lack, how many have it."""
    first = next(iter(parts.values())).inputs
    rows = tuple(
        (m, *(_count(int(part.inputs.present[m].sum()), len(part)) for part in parts.values()))
        for m in first.incomplete
    )
    return DescriptionTable(headings=("samples that have", *parts), rows=rows) if rows else None


def _labels(dataset: Dataset, parts: Mapping[str, Samples]) -> DescriptionTable:
    rows: list[tuple[str, ...]] = []
    for source in (FUSED, *_labeled(parts)):
        own = {split: y for split, part in parts.items() if (y := _labels_of(part, source)) is not None}
        labels = list(own.values())
        kinds = _classes(dataset.classes, labels) if dataset.task == Task.CLASSIFICATION else _values(labels)
        for name, counts in kinds:
            known = dict(zip(own, counts, strict=True))
            cells = (_count(known[split], len(own[split])) if split in own else NO_LABELS for split in parts)
            rows.append((source, name, *cells))
    return DescriptionTable(
        headings=("labels of", "class" if dataset.classes else "value", *parts), rows=tuple(rows)
    )


def _classes(names: Sequence[str], own: list[NDArray[Any]]) -> Iterator[tuple[str, list[int]]]:
    counts = np.array([np.bincount(labels, minlength=len(names)) for labels in own]).T
    shown = np.argsort(-counts.sum(axis=1), kind="stable")[:MOST_CLASSES]
    for index in sorted(shown):
        yield names[index], counts[index].tolist()
    if len(names) > MOST_CLASSES:
        rest = np.delete(counts, shown, axis=0)
        yield f"{len(rest):,} rarer classes", rest.sum(axis=0).tolist()


def _values(own: list[NDArray[Any]]) -> Iterator[tuple[str, list[int]]]:
    every = np.concatenate(own).astype(np.float64)
    # As many digits as float32 has, before and after the decimal point together.
    decimals = 6 - round(np.log10(max(np.abs(every).max(initial=0.0), 1e-300)))
    values = np.unique(every.round(decimals))
    if len(values) <= MOST_VALUES:
        for value in values:
            counts = [int((labels.astype(np.float64).round(decimals) == value).sum()) for labels in own]
            yield significant(value, 6), counts
        return
    edges = np.histogram_bin_edges(every, BINS)
    in_bins = [np.histogram(labels, edges)[0].tolist() for labels in own]
    for index, (low, high) in enumerate(pairwise(edges)):
        yield f"{significant(low)} to {significant(high)}", [count[index] for count in in_bins]


def _contradictions(task: Task, parts: Mapping[str, Samples]) -> DescriptionTable | None:
    """Share of samples whose modalities have different labels of their own; for targets, far apart."""
    modalities = _labeled(parts)
    if len(modalities) < 2:
        return None

    def share(part: Samples, chosen: Sequence[str]) -> str:
        own = [y for modality in chosen if (y := _labels_of(part, modality)) is not None]
        if not len(part) or len(own) < len(chosen):
            return NO_LABELS
        return percent(float(contradict(own).mean()))

    pairs = [*combinations(modalities, 2), *([tuple(modalities)] if len(modalities) > 2 else [])]
    rows = tuple((", ".join(pair), *(share(part, pair) for part in parts.values())) for pair in pairs)
    what = "labels differ" if task == Task.CLASSIFICATION else f"labels more than {CONTRADICTION} apart"
    return DescriptionTable(headings=(what, *parts), rows=rows)


def _labeled(parts: Mapping[str, Samples]) -> list[str]:
    """Modalities with labels of their own in any part."""
    first = next(iter(parts.values())).inputs.modalities
    return [m for m in first if any(m in part.unimodal_labels for part in parts.values())]


def _labels_of(part: Samples, source: str) -> NDArray[Any] | None:
    return part.labels if source == FUSED else part.unimodal_labels.get(source)


def _count(count: int, of: int) -> str:
    return f"{count:,} ({percent(count / of)})" if of else "0"
