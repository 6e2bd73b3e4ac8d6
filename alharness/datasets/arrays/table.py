"""labels.csv: the id, split and labels of each sample, as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alharness.errors import DataError
from alharness.text.words import did_you_mean

from .rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .rows import CsvRow

LABEL = "label"
REQUIRED = ("id", "split", LABEL)
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """The samples in the order of the file, which is that of the arrays.

    Attributes:
        path: the file.
        lines: line number of each sample.
        ids: of each sample.
        splits: train, valid or test.
        labels: `label` or `label_<modality>` -> text of each sample's label, never empty.
    """

    path: Path
    lines: tuple[int, ...]
    ids: tuple[str, ...]
    splits: tuple[str, ...]
    labels: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, split: str) -> list[int]:
        """Positions of the samples of a split, ascending."""
        return [row for row, own in enumerate(self.splits) if own == split]

    def place(self, row: int) -> str:
        """File and line of a sample, for the beginning of a message."""
        return f"{self.path}:{self.lines[row]}"

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
        splits=cells.pop("split"),
        labels=cells,
    )
    for split in SPLITS:
        if split not in table.splits:
            raise DataError(
                f"{path}: no row has split {split!r}; train, valid and test need at least one each: "
                f"give some rows the split {split!r}"
            )
    return table


def _columns(path: Path, header: CsvRow, modalities: Sequence[str]) -> dict[str, int]:
    place = f"{path}:{header.line}"
    own = [f"{LABEL}_{modality}" for modality in modalities]
    known = [*REQUIRED, *own]
    if not {*REQUIRED} & {name.lower() for name in header.cells}:
        raise DataError(
            f"{place}: expected the header {','.join(REQUIRED)}, "
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
        raise DataError(f"{place}: there is no column {missing[0]!r}, expected {', '.join(REQUIRED)}")
    return {name: header.cells.index(name) for name in known if name in header.cells}


def _check_rows(path: Path, rows: list[CsvRow], columns: dict[str, int]) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        place = f"{path}:{row.line}"
        for column, index in columns.items():
            if not row.cells[index]:
                raise DataError(f"{place}: the {column} is empty; every sample needs one")
        name, split = row.cells[columns["id"]], row.cells[columns["split"]]
        if name in seen:
            raise DataError(f"{place}: the id {name[:80]!r} is already on line {seen[name]}; ids must be distinct")
        seen[name] = row.line
        if split not in SPLITS:
            raise DataError(
                f"{place}: split is {split[:80]!r}, expected train, valid or test"
                f"{did_you_mean(split.lower(), SPLITS)}"
            )
