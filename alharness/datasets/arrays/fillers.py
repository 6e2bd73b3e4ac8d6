"""Labels that look like a placeholder for a missing label."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from alharness.api.importing import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .table import LabelTable

WORDS = {
    "nan", "<na>", "na", "n/a", "n.a.", "#n/a", "nat", "none", "null", "nil", "unknown", "unk", "<unk>",
    "undefined", "unlabeled", "unlabelled", "missing", "not available", "tbd", "todo",
    "?", "??", "???", "-", "--", "---", "–", "—", ".", "..", "...", "_",
}  # fmt: skip
"""What programs and people write for a label that is not there, in lower case."""

WHOLE = re.compile(r"([+-]?[0-9]{1,18})(\.0*)?")
"""A whole number, also as `-1.0`."""


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
