"""CSV files that programs read as they are, and from which no spreadsheet takes a formula."""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
INSIDE = re.compile(r"(?<=[\t\n\r;])(?=[=+@\-\t\r])")
"""The beginning of a formula after what other settings of a spreadsheet take for the end of a cell or a row."""


def write(file: TextIO, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table; the file is to be opened with `newline=""`.

    Numbers are written unrounded, None as an empty cell, and text defused, headings included.
    """
    table = csv.writer(file, lineterminator="\n")
    table.writerow([defused(heading) for heading in headings])
    table.writerows([defused(cell) for cell in row] for row in rows)


def defused(cell: Any) -> Any:
    """What a spreadsheet would take for a formula, as text: with an apostrophe before it. All else as it is.

    Text that is a plain number stays one.
    """
    return _defused(cell) if isinstance(cell, str) else cell


@lru_cache(4096)  # tables of cycles name the same samplers and metrics again and again
def _defused(cell: str) -> str:
    if NUMBER.fullmatch(cell):
        return cell
    # Spreadsheets in East Asian settings take the wide forms of these signs, too.
    first = unicodedata.normalize("NFKC", cell.lstrip()[:1])
    formula = first in tuple("=+-@") or cell[:1] in tuple("\t\r\n")
    return ("'" if formula else "") + INSIDE.sub("'", cell)


def name(text: str) -> str:
    """A heading as the name of a column: words with low lines between them, signs left out."""
    return re.sub(r"\W+", "_", text).strip("_").lower()


def ascii_name(text: str) -> str:
    """The name of a column in ASCII: letters lose accents, and those of other scripts become their numbers."""
    plain = "".join(
        letter if letter.isascii() else "" if unicodedata.combining(letter) else f"u{ord(letter):x}"
        for letter in unicodedata.normalize("NFKD", text)
    )
    return re.sub(r"\W+", "_", plain).strip("_")


def unique(names: Iterable[str]) -> list[str]:
    """Names of columns with a number behind those that occur again."""
    found: list[str] = []
    for one in names:
        number, new = 2, one or "column"
        while new in found:
            number, new = number + 1, f"{one or 'column'}_{number}"
        found.append(new)
    return found
