"""The text of labels as class indices or numbers, and labels that look like a placeholder for a missing label."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alharness.api.importing import shown
from alharness.api.vocabulary import Task
from alharness.errors import DataError

from .table import LABEL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from .table import LabelTable

INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

LARGEST = 3.4028234663852886e38
"""Largest float32."""

WORDS = {
    "nan", "<na>", "na", "n/a", "n.a.", "#n/a", "nat", "none", "null", "nil", "unknown", "unk", "<unk>",
    "undefined", "unlabeled", "unlabelled", "missing", "not available", "tbd", "todo",
    "?", "??", "???", "-", "--", "---", "–", "—", ".", "..", "...", "_",
}  # fmt: skip
"""What programs and people write for a label that is not there, in lower case."""

WHOLE = re.compile(r"([+-]?[0-9]{1,18})(\.0*)?")
"""A whole number, also as `-1.0`."""


@dataclass(frozen=True, kw_only=True)
class ParsedLabels:
    """What is to be predicted.

    Attributes:
        classes: their names in the order of the indices; empty for regression.
        columns: `label` or `label_<modality>` -> class index or target of each sample.
    """

    classes: tuple[str, ...]
    columns: Mapping[str, Sequence[float]]


def read_labels(table: LabelTable, task: Task) -> ParsedLabels:
    """The labels of a table. Raises DataError naming the line of one that does not fit the task."""
    return _targets(table) if task == Task.REGRESSION else _classes(table)


def _targets(table: LabelTable) -> ParsedLabels:
    columns: dict[str, list[float]] = {}
    for column, texts in table.labels.items():
        columns[column] = []
        for row, text in enumerate(texts):
            if not NUMBER.fullmatch(text) or abs(float(text)) > LARGEST:
                raise DataError(
                    f"{table.place(row)}: {column} is {text[:80]!r}, expected a finite number with a decimal "
                    f"point; to predict classes set task: {Task.CLASSIFICATION}"
                )
            columns[column].append(float(text))
    return ParsedLabels(classes=(), columns=columns)


def _classes(table: LabelTable) -> ParsedLabels:
    names = _names(table)
    trained = {names[LABEL][row] for row in table.rows("train")}
    classes = sorted(trained, key=int if all(INTEGER.fullmatch(name) for name in trained) else str)
    advice = _advice(names[LABEL])
    if len(classes) == 1:
        raise DataError(
            f"{table.path}: every label of train is {classes[0][:80]!r}; two classes are needed{advice}"
        )
    index = {name: position for position, name in enumerate(classes)}
    for column, own in names.items():
        for row, name in enumerate(own):
            if name not in index:
                raise DataError(
                    f"{table.place(row)}: {column} is {name[:80]!r}, a class that no row of train has as its "
                    f"label, so that it cannot be learned; give train a sample of it, or drop this row{advice}"
                )
    return ParsedLabels(
        classes=tuple(classes), columns={column: [index[name] for name in own] for column, own in names.items()}
    )


def _names(table: LabelTable) -> Mapping[str, Sequence[str]]:
    """The class names; if all are integers, `7`, `07` and `+7` are one class."""
    if all(INTEGER.fullmatch(text) for own in table.labels.values() for text in own):
        return {column: [str(int(text)) for text in own] for column, own in table.labels.items()}
    return table.labels


def _advice(names: Sequence[str]) -> str:
    """The hint for labels that look like measurements."""
    numbers = all(NUMBER.fullmatch(name) for name in names)
    fractions = not all(INTEGER.fullmatch(name) for name in names)
    return f"; to predict numbers set task: {Task.REGRESSION}" if numbers and fractions else ""


def find_fillers(table: LabelTable) -> Iterator[str]:
    """A warning for each value of a label column that looks like a filler, with the number of its rows."""
    for column, texts in table.labels.items():
        counts = Counter(texts)
        for value in fillers(counts):
            rows = "row has" if counts[value] == 1 else "rows have"
            yield (
                f"{table.path.name}: {counts[value]:,} {rows} the {column} {shown(value)}, which looks like a "
                "missing label and is taken as a class; label these rows or drop them, or leave them if it is a "
                "class"
            )


def fillers(names: Collection[str]) -> list[str]:
    """Those of the class names that look like fillers.

    A word of the list above is one. So is a negative number among words, and the only negative number among class
    numbers, as of -1, 0, 1, 2; but -1 and 1 alone are two classes.
    """
    found = {name for name in names if name.casefold() in WORDS}
    matches = {name: WHOLE.fullmatch(name.replace("−", "-")) for name in names if name not in found}
    numbers = {name: int(match[1]) for name, match in matches.items() if match}
    negative = {name for name, number in numbers.items() if number < 0}
    among_words = len(numbers) < len(matches)
    alone = len(negative) == 1 < len(numbers) and sorted(numbers.values()) != [-1, 1]
    return sorted(found | (negative if among_words or alone else set()))
