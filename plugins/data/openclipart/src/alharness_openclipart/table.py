"""The drawings of the data set, and splits that keep authors or series together. No heavy imports."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from alharness import DataError

from .facts import DATA, DRAWINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARES = {"train": 0.6, "valid": 0.1, "test": 0.3}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One drawing.

    Attributes:
        id: what a run calls it.
        path: of its file, below the package's folder of drawings.
        author: as its file says; may be empty.
    """

    id: str
    path: str
    author: str

    @property
    def label(self) -> str:
        """Its class: the folder at the top."""
        return PurePosixPath(self.path).parts[0]

    def group(self, split: str) -> str:
        """What must not span train and test: its author, or its author in its folder."""
        author = self.author.casefold()
        return author if split == "author" else f"{PurePosixPath(self.path).parent}:{author}"


@cache
def rows() -> tuple[Row, ...]:
    """All drawings, in the order of their ids. Raises DataError if the file is missing or cut off."""
    path = DATA / DRAWINGS
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return tuple(Row(**row) for row in csv.DictReader(file, strict=True))
    except (OSError, UnicodeError, csv.Error, TypeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); install alharness-openclipart again") from None


def classes(drawings: Sequence[Row]) -> tuple[str, ...]:
    """The names of the classes, sorted."""
    return tuple(sorted({row.label for row in drawings}))


def sizes(split: str) -> tuple[int, int, int]:
    """Drawings in train, valid and test."""
    if split == "random":
        n = len(rows())
        train, valid = round(n * SHARES["train"]), round(n * SHARES["valid"])
        return train, valid, n - train - valid
    counts = Counter(parts(split))
    return counts["train"], counts["valid"], counts["test"]


def parts(split: str) -> list[str]:
    """The part of each drawing, if groups stay whole.

    Groups are placed one after another, the largest first, each in the part that lacks most drawings of its
    classes. Groups of one size go in the order of a checksum of their names.
    """
    drawings = rows()
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(drawings):
        groups[row.group(split)].append(i)
    total = Counter(row.label for row in drawings)
    filled = {part: Counter[str]() for part in SHARES}
    placed = [""] * len(drawings)
    for name in sorted(groups, key=lambda name: (-len(groups[name]), hashlib.sha256(name.encode()).digest())):
        members = Counter(drawings[i].label for i in groups[name])

        def lacking(part: str, members: Counter[str] = members) -> float:
            share = SHARES[part]
            return sum(n * (1 - (filled[part][c] + n / 2) / (share * total[c])) for c, n in members.items())

        best = max(SHARES, key=lacking)
        filled[best] += members
        for i in groups[name]:
            placed[i] = best
    return placed
