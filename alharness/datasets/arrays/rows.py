"""The rows of a CSV file as text, with their line numbers."""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import TYPE_CHECKING, NamedTuple

from alharness.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class CsvRow(NamedTuple):
    """A row that is not empty.

    Attributes:
        line: its first line, counted from 1.
        cells: without the spaces around them.
    """

    line: int
    cells: list[str]


def read_rows(path: Path) -> list[CsvRow]:
    """All rows, the header first; as many cells in each. Empty lines are left out.

    Raises:
        DataError: the file is missing, is not UTF-8, or is not a table with commas.
    """
    text = _decode(path)
    rows: list[CsvRow] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if stripped not in ([], [""]):
                rows.append(CsvRow(line, stripped))
                _check(path, rows[-1], rows[0])
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}:{line}: is not a CSV row ({error})") from None
    if not rows:
        raise DataError(f"{path}: is empty; expected a header and one row per sample")
    return rows


def _decode(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: not found; it lists the samples: id, split and label of each") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(f"{path}: is UTF-16 text, expected UTF-8; save it as 'CSV UTF-8'")
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise DataError(f"{path}:{line}: holds a NUL byte, so it is not UTF-8 text; save it as 'CSV UTF-8'")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        byte = content[error.start]
        raise DataError(f"{path}:{line}: the byte 0x{byte:02x} is not UTF-8; save it as 'CSV UTF-8'") from None


def _check(path: Path, row: CsvRow, header: CsvRow) -> None:
    if row is header and len(row.cells) == 1:
        for mark, name in {";": "semicolons", "\t": "tabs"}.items():
            if mark in row.cells[0]:
                raise DataError(f"{path}:{row.line}: columns are separated by {name}, expected commas")
    if len(row.cells) != len(header.cells):
        raise DataError(
            f"{path}:{row.line}: {_cells(len(row.cells))}, but the header has {len(header.cells)}; "
            "a value with a comma must be in double quotes"
        )
    for cell in row.cells:
        if CONTROL.search(cell):
            raise DataError(f"{path}:{row.line}: {cell[:80]!r} holds a line break or another control character")


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"
