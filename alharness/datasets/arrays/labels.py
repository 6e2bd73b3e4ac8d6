"""The text of labels as class indices or numbers, and labels that look like a placeholder for a missing label."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alharness.api.importing import did_you_mean, shown
from alharness.api.vocabulary import Task
from alharness.errors import DataError

from .table import LABEL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

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
        classes: their names in the order of the indices; empty for regression, and if nothing is labeled yet.
        columns: `label` or `label_<modality>` -> class index or target of each sample; -1 or NaN without a label.
    """

    classes: tuple[str, ...]
    columns: Mapping[str, Sequence[float]]

    def of(self, rows: Sequence[int], task: Task) -> dict[str, NDArray[Any]]:
        """Column -> (n,) what these samples have: int64 class indices, or float32 targets."""
        import numpy as np

        kind = np.int64 if task == Task.CLASSIFICATION else np.float32
        return {name: np.array([values[row] for row in rows], kind) for name, values in self.columns.items()}


def read_labels(table: LabelTable, task: Task, classes: Sequence[str] | None = None) -> ParsedLabels:
    """The labels of a table.

    Args:
        table: with their texts.
        task: what they are.
        classes: all there are; None for those that have labels.

    Raises:
        DataError: naming the line of a label that does not fit the task, or is none of the classes.
    """
    if task == Task.CLASSIFICATION:
        return _classes(table, classes)
    if classes is not None:
        raise DataError(f"classes: there are none in {Task.REGRESSION}; leave them out")
    return _targets(table)


def _targets(table: LabelTable) -> ParsedLabels:
    columns: dict[str, list[float]] = {}
    for column, texts in table.labels.items():
        columns[column] = []
        for row, text in enumerate(texts):
            if not table.labels[LABEL][row]:
                columns[column].append(math.nan)
                continue
            if not NUMBER.fullmatch(text) or abs(float(text)) > LARGEST:
                raise DataError(
                    f"{table.place(row)}: {column} is {text[:80]!r}, expected a finite number with a decimal "
                    f"point; to predict classes set task: {Task.CLASSIFICATION}"
                )
            columns[column].append(float(text))
    return ParsedLabels(classes=(), columns=columns)


def _classes(table: LabelTable, wanted: Sequence[str] | None) -> ParsedLabels:
    names = _names(table, wanted or ())
    trained = {names[LABEL][row] for row in table.rows("" if table.drawn else "train")} or {*names[LABEL]} - {""}
    classes = sorted(trained, key=int if all(INTEGER.fullmatch(name) for name in trained) else str)
    advice = _advice([name for name in names[LABEL] if name])
    if wanted is not None:
        classes = list(wanted)
    elif len(classes) == 1:
        more = "; if others are to come, name all of them in classes: [...]" if table.unlabeled else ""
        raise DataError(
            f"{table.path}: every label {'' if table.drawn else 'of train '}is {classes[0][:80]!r}; two classes "
            f"are needed{advice}{more}"
        )
    index = {name: position for position, name in enumerate(classes)} | {"": -1}
    for column, own in names.items():
        for row, name in enumerate(own):
            if name not in index and wanted is not None:
                near = did_you_mean(name, classes) or ";"
                raise DataError(
                    f"{table.place(row)}: {column} is {name[:80]!r}, which is none of classes{near} "
                    "correct it, or add it to classes (in a project: --class)"
                )
            if name not in index:
                raise DataError(
                    f"{table.place(row)}: {column} is {name[:80]!r}, a class that no row of train has as its "
                    f"label, so that it cannot be learned; give train a sample of it, or drop this row{advice}"
                )
    return ParsedLabels(
        classes=tuple(classes), columns={column: [index[name] for name in own] for column, own in names.items()}
    )


def _names(table: LabelTable, wanted: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The class names, empty without a label; if all are integers, `7`, `07` and `+7` are one class."""
    blank = {row for row, label in enumerate(table.labels[LABEL]) if not label}
    known = {
        column: [("" if row in blank else text) for row, text in enumerate(own)] if blank else own
        for column, own in table.labels.items()
    }
    distinct = {text for own in known.values() for text in own} - {""}
    if all(INTEGER.fullmatch(text) for text in (*distinct, *wanted)):
        plain = {text: str(int(text)) for text in distinct} | {"": ""}
        return {column: [plain[text] for text in own] for column, own in known.items()}
    return known


def _advice(names: Sequence[str]) -> str:
    """The hint for labels that look like measurements."""
    numbers = all(NUMBER.fullmatch(name) for name in names)
    fractions = not all(INTEGER.fullmatch(name) for name in names)
    return f"; to predict numbers set task: {Task.REGRESSION}" if numbers and fractions else ""


def find_fillers(table: LabelTable) -> Iterator[str]:
    """A warning for each value of a label column that looks like a filler, with the number of its rows."""
    for column, texts in table.labels.items():
        counts = Counter(text for text in texts if text)
        for value in fillers(counts):
            rows = "row has" if counts[value] == 1 else "rows have"
            yield (
                f"{table.path.name}: {counts[value]:,} {rows} the {column} {shown(value)}, which looks like a "
                "missing label and is taken as a class; empty the cell of a row that has no label yet, or leave "
                "it if it is a class"
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
