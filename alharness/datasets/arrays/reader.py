"""A folder of arrays and labels as a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alharness.api.dataset import Dataset, DatasetFacts, split_sizes
from alharness.api.importing import did_you_mean, readable
from alharness.api.samples import Inputs, Samples, Splits
from alharness.api.vocabulary import Task
from alharness.errors import DataError

from .files import (
    as_float32,
    check_values,
    choose_modalities,
    find_modalities,
    find_present,
    gather,
    open_modality,
)
from .foreign import find_foreign, unread
from .labels import find_fillers, read_labels
from .table import LABEL, SPLITS, read_table

if TYPE_CHECKING:
    from .files import Stored
    from .labels import ParsedLabels
    from .params import ArraysParams
    from .table import LabelTable


def look(params: ArraysParams) -> DatasetFacts:
    """Check labels.csv and the headers of the arrays. Raises DataError."""
    table, _, stored = _open(params)
    train, valid, test = (len(table.rows(split)) for split in SPLITS)
    return DatasetFacts(
        task=params.task,
        modalities=tuple(stored),
        sizes=split_sizes(len(table.rows())) if table.drawn else (train, valid, test),
        unlabeled=len(table.unlabeled),
        incomplete=tuple(name for name in stored if name in params.incomplete),
        warnings=_warnings(params, table),
    )


def load(params: ArraysParams) -> Dataset:
    """Check every value and gather the splits. Raises DataError."""
    table, labels, stored = _open(params)
    present = {name: find_present(stored[name]) for name in stored if name in params.incomplete}
    for name, modality in stored.items():
        check_values(modality, table, present.get(name))
    arrays = {name: as_float32(modality.array, present.get(name)) for name, modality in stored.items()}
    unlabeled = table.unlabeled

    def inputs(rows: list[int]) -> Inputs:
        return Inputs(
            ids=tuple(table.ids[row] for row in rows),
            arrays={name: gather(array, rows, apart=bool(unlabeled)) for name, array in arrays.items()},
            lengths={
                name: modality.lengths[rows].astype(np.int64)
                for name, modality in stored.items()
                if modality.lengths is not None
            },
            present={name: known[rows] for name, known in present.items()},
        )

    def samples(rows: list[int]) -> Samples:
        own = labels.of(rows, params.task)
        unimodal = {name: own[f"{LABEL}_{name}"] for name in stored if f"{LABEL}_{name}" in own}
        return Samples(inputs=inputs(rows), labels=own[LABEL], unimodal_labels=unimodal)

    parts = {split: samples(table.rows(split)) for split in SPLITS} if not table.drawn else {}
    return Dataset(
        task=params.task,
        content=Splits(**parts) if parts else samples(table.rows()),
        unlabeled=inputs(unlabeled) if unlabeled else None,
        classes=labels.classes,
        remarks=_warnings(params, table),
    )


def _warnings(params: ArraysParams, table: LabelTable) -> tuple[str, ...]:
    """What is allowed and perhaps not meant: labels that look like fillers, and files that are not read."""
    labels = find_fillers(table) if params.task == Task.CLASSIFICATION else ()
    folder = readable(params.path)
    files = unread(find_foreign(folder, find_modalities(folder))) if params.modalities is None else ()
    return (*labels, *files)


def _open(params: ArraysParams) -> tuple[LabelTable, ParsedLabels, dict[str, Stored]]:
    folder = readable(params.path)
    found = find_modalities(folder)
    chosen = choose_modalities(folder, found, params.modalities)
    for name in params.incomplete:
        if name not in chosen:
            raise DataError(
                f"{folder}: incomplete names {name!r}, which is no modality in use{did_you_mean(name, chosen)}"
            )
    table = read_table(folder / "labels.csv", found)
    labels = read_labels(table, params.task, params.classes)
    return table, labels, {name: open_modality(folder, name, len(table)) for name in chosen}
