"""labels.csv: the id, split and labels of each sample, as text, with the lines that they are on."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from alharness.errors import DataError
from alharness.text.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LABEL = "label"
HEADER = ("id", "split", LABEL)
REQUIRED = ("id", LABEL)
SPLITS = ("train", "valid", "test")

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """The samples in the order of the file, which is that of the arrays.

    Attributes:
        path: the file.
        lines: line number of each sample.
        ids: of each sample.
        splits: train, valid or test; empty if none is said: of all samples, or of some that have no label.
        labels: `label` or `label_<modality>` -> text of each sample's label; empty if it has none yet.
        of_lines: whether `lines` are those of a file of text, or numbers of rows.
    """

    path: Path
    lines: Sequence[int]
    ids: tuple[str, ...]
    splits: tuple[str, ...]
    labels: Mapping[str, tuple[str, ...]]
    of_lines: bool = True

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def drawn(self) -> bool:
        """Whether no split is said, so that every seed draws its own."""
        return not any(self.splits)

    def rows(self, split: str = "") -> list[int]:
        """Positions of the samples with a label, ascending: those of a split, or all."""
        labels = self.labels[LABEL]
        return [row for row, own in enumerate(self.splits) if labels[row] and (not split or own == split)]

    @property
    def unlabeled(self) -> list[int]:
        """Positions of the samples without a label, ascending."""
        return [row for row, label in enumerate(self.labels[LABEL]) if not label]

    def place(self, row: int) -> str:
        """File and line of a sample, for the beginning of a message."""
        return f"{self.path}:{self.lines[row]}" if self.of_lines else f"{self.path}, row {self.lines[row]}"

    def sample(self, row: int) -> str:
        """What row of an array a sample is, for a message about the array."""
        return f"row {row} (id {self.ids[row][:80]!r}, line {self.lines[row]} of {self.path.name})"


def read_table(path: Path, modalities: Sequence[str]) -> LabelTable:
    """Read labels.csv of a folder that holds these modalities.

    Raises:
        DataError: naming the line and what was expected there.
    """
    header, *rows = read_rows(path)
    columns = _columns(path, header, modalities)
    _check_rows(path, rows, columns)
    cells = {column: tuple(row.cells[index] for row in rows) for column, index in columns.items()}
    table = LabelTable(
        path=path,
        lines=tuple(row.line for row in rows),
        ids=cells.pop("id"),
        splits=cells.pop("split", ("",) * len(rows)),
        labels=cells,
    )
    if not rows:
        raise DataError(f"{path}: lists no samples; expected one row per sample below the header")
    check_splits(table)
    return table


def read_labels_file(path: Path) -> dict[str, CsvRow]:
    """Id -> its row of a file with the columns id and label: cells are these two. Raises DataError."""
    header, *rows = read_rows(path)
    for name in REQUIRED:
        if name not in header.cells:
            near = did_you_mean(name, header.cells) or f"; expected {','.join(REQUIRED)}"
            raise DataError(f"{path}:{header.line}: there is no column {name!r}{near}")
    columns = [header.cells.index(name) for name in REQUIRED]
    found: dict[str, CsvRow] = {}
    for row in rows:
        name, label = (row.cells[column] for column in columns)
        if not name:
            raise DataError(f"{path}:{row.line}: the id is empty")
        if name in found:
            raise DataError(
                f"{path}:{row.line}: the id {name[:80]!r} is already on line {found[name].line}; ids must be "
                "distinct"
            )
        found[name] = CsvRow(row.line, [name, label])
    return found


def check_splits(table: LabelTable) -> None:
    """Raise DataError, naming the line, if splits are said and do not fit."""
    if table.drawn:
        return
    for row, (split, label) in enumerate(zip(table.splits, table.labels[LABEL], strict=True)):
        if label and not split:
            raise DataError(
                f"{table.place(row)}: the split is empty, though others are not; write train, valid or test, or "
                "empty the whole column to have every seed draw its split"
            )
        if split not in ("", *SPLITS):
            raise DataError(
                f"{table.place(row)}: split is {split[:80]!r}, expected train, valid or test"
                f"{did_you_mean(split.lower(), SPLITS)}"
            )
        if split not in ("", "train") and not label:
            raise DataError(
                f"{table.place(row)}: the label is empty; every sample of {split} needs one, and only those of "
                "train can be labeled later"
            )
    for split in ("train", "test"):
        if split not in table.splits:
            raise DataError(
                f"{table.path}: no row has split {split!r}; train and test need at least one each: give some rows "
                f"the split {split!r}"
            )


def _columns(path: Path, header: CsvRow, modalities: Sequence[str]) -> dict[str, int]:
    place = f"{path}:{header.line}"
    own = [f"{LABEL}_{modality}" for modality in modalities]
    known = [*HEADER, *own]
    if not {*HEADER} & {name.lower() for name in header.cells}:
        raise DataError(
            f"{place}: expected the header {','.join(HEADER)}, "
            f"but the file begins with {','.join(header.cells)[:80]}"
        )
    for position, name in enumerate(header.cells, start=1):
        if not name:
            raise DataError(f"{place}: column {position} has no name; remove it (in pandas: index=False)")
        if name not in known:
            modality = name.removeprefix(f"{LABEL}_")
            why = f": there is no {modality[:80]}.npy" if modality != name else f", expected {', '.join(known)}"
            raise DataError(f"{place}: unknown column {name[:80]!r}{why}{did_you_mean(name.lower(), known)}")
        if header.cells.count(name) > 1:
            raise DataError(f"{place}: the column {name!r} occurs more than once")
    if missing := [name for name in REQUIRED if name not in header.cells]:
        raise DataError(f"{place}: there is no column {missing[0]!r}, expected {', '.join(HEADER)}")
    return {name: header.cells.index(name) for name in known if name in header.cells}


def _check_rows(path: Path, rows: list[CsvRow], columns: dict[str, int]) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        place = f"{path}:{row.line}"
        cells = {column: row.cells[index] for column, index in columns.items()}
        if not cells["id"]:
            raise DataError(f"{place}: the id is empty; every sample needs one")
        for column, cell in cells.items():
            if not cell and column.startswith(LABEL) and cells[LABEL]:
                raise DataError(f"{place}: the {column} is empty; every sample with a label needs one")
        name = cells["id"]
        if name in seen:
            raise DataError(f"{place}: the id {name[:80]!r} is already on line {seen[name]}; ids must be distinct")
        seen[name] = row.line


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
