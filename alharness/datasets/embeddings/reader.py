"""Columns of a file as a data set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alharness.api.dataset import Dataset, DatasetFacts, split_sizes
from alharness.api.importing import did_you_mean, readable
from alharness.api.rows import Rows
from alharness.api.samples import Inputs, Samples, Splits
from alharness.api.vocabulary import Task
from alharness.datasets.arrays.labels import find_fillers, read_labels
from alharness.datasets.arrays.params import check_name
from alharness.datasets.arrays.table import CONTROL, LABEL, SPLITS, LabelTable, check_splits
from alharness.errors import DataError

from .arrow import Csv
from .opening import source_of
from .stored import mapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alharness.datasets.arrays.labels import ParsedLabels

    from .params import Columns, EmbeddingsParams
    from .sources import Source

FEATURES = "features"
"""The modality of all columns of numbers."""

LIKE_LABELS = ("labels", "y", "target", "targets", "class")
"""What columns of labels are called elsewhere."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Opened:
    """What is known without reading vectors."""

    source: Source
    columns: Mapping[str, tuple[str, ...]]
    table: LabelTable
    labels: ParsedLabels


def look(params: EmbeddingsParams) -> DatasetFacts:
    """Check columns and labels; vectors are not read. Raises DataError."""
    opened = _open(params)
    table = opened.table
    train, valid, test = (len(table.rows(split)) for split in SPLITS)
    return DatasetFacts(
        task=params.task,
        modalities=tuple(opened.columns),
        sizes=split_sizes(len(table.rows())) if table.drawn else (train, valid, test),
        unlabeled=len(table.unlabeled),
        incomplete=tuple(name for name in opened.columns if name in params.incomplete),
        warnings=_warnings(params, opened),
    )


def load(params: EmbeddingsParams) -> Dataset:
    """Map the vectors, and take the labels. Raises DataError."""
    opened = _open(params)
    source, table = opened.source, opened.table
    found = {
        name: mapped(source, name, columns, params.precision, table.place)
        for name, columns in opened.columns.items()
    }
    for name, modality in found.items():
        if name not in params.incomplete and not modality.present.all():
            row = int(np.flatnonzero(~modality.present)[0])
            raise DataError(
                f"{table.place(row)}: {name} is empty; if samples may lack this modality, write incomplete: "
                f"[{name}]"
            )

    def inputs(rows: list[int]) -> Inputs:
        at = np.array(rows, np.int64)
        return Inputs(
            ids=tuple(table.ids[row] for row in rows),
            arrays={name: Rows.of(modality.array, at) for name, modality in found.items()},
            present={name: found[name].present[at] for name in found if name in params.incomplete},
        )

    def samples(rows: list[int]) -> Samples:
        return Samples(inputs=inputs(rows), labels=opened.labels.of(rows, params.task)[LABEL])

    parts = {split: samples(table.rows(split)) for split in SPLITS} if not table.drawn else {}
    return Dataset(
        task=params.task,
        content=Splits(**parts) if parts else samples(table.rows()),
        unlabeled=inputs(table.unlabeled) if table.unlabeled else None,
        classes=opened.labels.classes,
        remarks=_warnings(params, opened),
    )


def _warnings(params: EmbeddingsParams, opened: _Opened) -> tuple[str, ...]:
    found = [*find_fillers(opened.table)] if params.task == Task.CLASSIFICATION else []
    if params.label is None and params.labels is None and LABEL not in opened.source.columns:
        used = {"id", "split", params.id, params.split}.union(*opened.columns.values())
        others = [name for name in opened.source.columns if name not in used]
        near = next((name for name in others if name.lower() in (LABEL, *LIKE_LABELS)), None)
        if near is not None:
            found.append(f"{opened.source.name}: nothing has a label; if {near!r} holds them, write label: {near}")
        elif others:
            names = ", ".join(map(repr, others[:5])) + (", …" if len(others) > 5 else "")
            be = "is" if len(others) == 1 else "are"
            found.append(
                f"{opened.source.name}: nothing has a label, and {names} {be} not used; the parameters label "
                "and id of the data set name the columns of labels and ids"
            )
    return tuple(found)


def _open(params: EmbeddingsParams) -> _Opened:
    source = source_of(params)
    if not source.rows:
        raise DataError(f"{source.name}: has no rows")
    table = _table(source, params)
    taken = {name for name in (_named(source, params, what) for what in ("id", "label", "split")) if name}
    columns = _modalities(source, params.modalities, taken)
    for name in params.incomplete:
        if name not in columns:
            raise DataError(
                f"{source.name}: incomplete names {name!r}, which is no modality in use"
                f"{did_you_mean(name, columns)}"
            )
    classes: Sequence[str] | None = params.classes
    if classes is None and params.task == Task.CLASSIFICATION:
        classes = source.names.get(_named(source, params, "label") or "")
    return _Opened(source=source, columns=columns, table=table, labels=read_labels(table, params.task, classes))


def _named(source: Source, params: EmbeddingsParams, what: str) -> str | None:
    """The column of ids, labels or splits: the one that is named, or the one of that name if there is one."""
    asked: str | None = getattr(params, what)
    if what == "label" and params.labels is not None:
        return None
    if asked is None and what not in source.columns:
        return None
    return source.require_values(asked or what, what)


def _table(source: Source, params: EmbeddingsParams) -> LabelTable:
    def texts(what: str) -> list[str] | None:
        column = _named(source, params, what)
        return None if column is None else source.texts(column)

    digits = len(str(source.rows - 1))
    ids = texts("id") or [f"{row:0{digits}}" for row in range(source.rows)]  # in the order of the rows
    labels = texts("label") or [""] * source.rows
    table = LabelTable(
        path=Path(source.name),
        lines=range(source.rows),
        ids=tuple(ids),
        splits=tuple(texts("split") or [""] * source.rows),
        labels={LABEL: tuple(labels)},
        of_lines=False,
    )
    _require_ids(table)
    for what, values in (("id", ids), ("label", labels)):
        if CONTROL.search("".join(values)):
            row = next(row for row, value in enumerate(values) if CONTROL.search(value))
            raise DataError(
                f"{table.place(row)}: the {what} {values[row][:80]!r} holds a line break or another control "
                "character"
            )
    if params.labels is not None:
        labels = _labels_of(readable(params.labels), source, table)
        table = replace(table, labels={LABEL: tuple(labels)})
    check_splits(table)
    return table


def _require_ids(table: LabelTable) -> None:
    """Raise DataError, naming the row, if an id is empty or occurs twice."""
    if len(set(table.ids)) == len(table) and "" not in table.ids:
        return
    first: dict[str, int] = {}
    for row, name in enumerate(table.ids):
        if not name:
            raise DataError(f"{table.place(row)}: the id is empty; every sample needs one")
        if first.setdefault(name, row) != row:
            raise DataError(
                f"{table.place(row)}: the id {name[:80]!r} is already in row {first[name]}; ids must be distinct"
            )


def _labels_of(path: Path, source: Source, table: LabelTable) -> list[str]:
    """The labels of a file of their own, in the order of the samples."""
    file = Csv(path)
    given = LabelTable(
        path=path,
        lines=range(2, file.rows + 2),
        ids=tuple(file.texts(file.require_values("id", "id"))),
        splits=(),
        labels={LABEL: tuple(file.texts(file.require_values(LABEL, LABEL)))},
    )
    _require_ids(given)
    places = {name: row for row, name in enumerate(table.ids)}
    labels = [""] * len(table)
    for row, (name, label) in enumerate(zip(given.ids, given.labels[LABEL], strict=True)):
        if name not in places:
            near = did_you_mean(name, table.ids) or "; leave the row out"
            raise DataError(f"{given.place(row)}: {source.name} has no sample {name[:80]!r}{near}")
        labels[places[name]] = label
    return labels


def _modalities(
    source: Source, wanted: Mapping[str, Columns] | None, taken: set[str]
) -> dict[str, tuple[str, ...]]:
    """Modality -> its columns."""
    kinds = {name: kind for name, kind in source.columns.items() if name not in taken}
    if wanted is None:
        vectors: dict[str, tuple[str, ...]] = {name: (name,) for name, kind in kinds.items() if kind == "vectors"}
        for name in vectors:
            try:
                check_name(name)
            except ValueError as error:
                raise DataError(f"{source.name}: {error}; name it in modalities: {{NAME: {name!r}}}") from None
        numbers = tuple(name for name, kind in kinds.items() if kind == "numbers")
        if not vectors and not numbers:
            held = [f"{name} ({source.held[name]})" for name in [*kinds][:8]] or ["none"]
            raise DataError(
                f"{source.name}: no column holds numbers, or lists of as many numbers in each row, which could be "
                f"inputs; columns{' other than ' if taken else ''}{', '.join(sorted(taken))} are "
                f"{', '.join(held)}{', ...' if len(kinds) > len(held) else ''}"
            )
        return vectors or {FEATURES: numbers}
    found = {}
    for modality, columns in wanted.items():
        names = [columns] if isinstance(columns, str) else [*columns]
        if isinstance(columns, str) and columns not in source.columns and "*" in columns:
            names = [name for name, kind in kinds.items() if kind == "numbers" and fnmatchcase(name, columns)]
            if not names:
                raise DataError(f"{source.name}: no column of numbers is like {columns!r}, for {modality}")
        for name in names:
            kind = source.columns[source.require(name, modality)]
            if kind not in ("vectors", "numbers"):
                raise DataError(
                    f"{source.name}: {name!r} cannot be the modality {modality}: it holds {source.held[name]}, "
                    "expected numbers, or lists of as many numbers in each row"
                )
            if name in taken:
                raise DataError(f"{source.name}: {name!r} cannot be an input as well as id, label or split")
        found[modality] = tuple(names)
    return found
