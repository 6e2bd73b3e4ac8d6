"""Columns that pyarrow reads: of parquet and CSV, and what the library `datasets` maps. MLflow brings it along."""

from __future__ import annotations

import csv
import re
from abc import abstractmethod
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness.api.importing import shown
from alharness.errors import DataError, described

from .sources import BATCH, Source, as_texts, damaged, without_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from .sources import Kind, Piece

SAMPLE = 100
"""Rows of a CSV file that say which columns hold numbers."""

NOTHING = {"", "NA", "N/A", "n/a", "nan", "NaN", "NULL", "null", "#N/A"}
"""Cells of a column of numbers that say that there is none."""

MARKS = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""What separates columns in files that are called CSV, too."""

WRONG_CELL = re.compile(r"In CSV column #(\d+): Row #(\d+): .*invalid value '(.*)'", re.DOTALL)
"""What pyarrow says of a cell that is no number."""

INDEX = re.compile(r"__index_level_\d+__")
"""Name of a column that pandas writes, of what rows were called before some were left out."""

BUFFER = 2**20
"""Bytes that are read together of a column of a parquet file, instead of all of its row group."""


class Arrow(Source):
    """What pyarrow reads.

    Args:
        types: column -> its type.
    """

    def __init__(self, types: Mapping[str, Any]) -> None:
        self.columns = {name: kind_of(kind) for name, kind in types.items()}
        self.held = {name: str(kind) for name, kind in types.items()}

    @abstractmethod
    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Record batches of these columns."""

    def texts(self, column: str) -> list[str]:
        """Numbers as Python writes them; whole ones without a point if all are whole."""
        found = _texts((batch.column(0) for batch in self.batches([column])), self.names.get(column))
        return without_points(found) if self.columns[column] == "numbers" else found

    def pieces(self, columns: Sequence[str]) -> Iterator[Piece]:
        """As `Source.pieces`. Raises DataError, with the row, if vectors differ in length."""
        widths = {column: self._width(column) for column in columns if self.columns[column] == "vectors"}
        start = 0
        for batch in self.batches(columns):
            there = np.ones(batch.num_rows, bool)
            parts = []
            for column in columns:
                array = batch.column(column)
                if column in widths:
                    part, valid = self._matrix(array, column, widths[column], start)
                    there &= valid
                else:
                    part = array.to_numpy(zero_copy_only=False).reshape(-1, 1)  # NaN if there is nothing
                parts.append(part)
            yield np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0], there
            start += batch.num_rows

    def _width(self, column: str) -> int:
        """How many numbers a vector has, read no further than to the first."""
        import pyarrow.compute as pc

        for batch in self.batches([column]):
            if width := pc.max(pc.list_value_length(batch.column(0))).as_py():
                return int(width)
        raise DataError(f"{self.name}: every row of {column} is empty")

    def _matrix(self, array: Any, column: str, width: int, start: int) -> Piece:
        import pyarrow.compute as pc

        lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
        valid = lengths > 0
        if len(bad := np.flatnonzero(valid & (lengths != width))):
            raise DataError(
                f"{self.name}, row {start + bad[0]}: {column} has {lengths[bad[0]]} numbers, and {width} in other "
                "rows; every row needs as many"
            )
        flat = array.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
        if valid.all():
            return flat, valid
        whole = np.zeros((len(valid), width), flat.dtype)
        whole[valid] = flat
        return whole, valid


class Parquet(Arrow):
    """One parquet file, or several with the same columns, one after another."""

    def __init__(self, path: Path, files: Sequence[Path]) -> None:
        import pyarrow.parquet as pq

        self.name, self.files = str(path), files
        try:
            parts = [pq.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False) for file in files]
        except Exception as error:  # noqa: BLE001 - pyarrow raises errors of many kinds
            raise DataError(f"{path}: is no whole parquet file ({described(error)})") from None
        schema = parts[0].schema_arrow
        for file, part in zip(files, parts, strict=True):
            if not part.schema_arrow.equals(schema):
                raise DataError(f"{file}: has other columns, or other types of them, than {files[0].name}")
        if twice := next((name for name in schema.names if schema.names.count(name) > 1), None):
            raise DataError(f"{path}: the column {twice!r} occurs more than once")
        self._parts = parts
        self.rows = sum(part.metadata.num_rows for part in parts)
        super().__init__({field.name: field.type for field in schema if not INDEX.fullmatch(field.name)})

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Row group by row group. Raises DataError if the file is damaged."""
        for file, part in zip(self.files, self._parts, strict=True):
            try:
                yield from part.iter_batches(batch_size=BATCH, columns=[*columns], use_threads=False)
            except (OSError, ValueError) as error:  # those of pyarrow are among them
                raise damaged(str(file), error) from None


class Csv(Arrow):
    """A CSV file in UTF-8, with a header."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        self.name, self.files, self._path = str(path), [path], path
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                header, *some = islice(csv.reader(file), 1 + SAMPLE) if path.stat().st_size else [[]]
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(f"{path}: is not CSV in UTF-8 ({error}); save it as 'CSV UTF-8'") from None
        self._header = [name.strip() for name in header]
        self._check(some)
        cells = {name: {row[at].strip() for row in some if row} for at, name in enumerate(self._header)}
        numbers = {name for name, found in cells.items() if _are_numbers(found - NOTHING)}
        super().__init__({name: pa.float64() if name in numbers else pa.string() for name in cells})
        self.held = {name: "numbers" if name in numbers else _example(found) for name, found in cells.items()}
        self.rows = sum(batch.num_rows for batch in self._read(self._header[:1], pa.string()))

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Of numbers."""
        import pyarrow as pa

        return self._read(columns, pa.float64())

    def texts(self, column: str) -> list[str]:
        """As they are written, without the spaces around them."""
        import pyarrow as pa

        return _texts(batch.column(0) for batch in self._read([column], pa.string()))

    def _check(self, some: Sequence[Sequence[str]]) -> None:
        """Raises DataError if the header, or a row below, cannot be right."""
        names, place = self._header, f"{self.name}:1"
        if not any(names):
            raise DataError(f"{self.name}: is empty; expected a header and one row per sample")
        for mark, what in MARKS.items():
            if len(names) == 1 and mark in names[0]:
                raise DataError(f"{place}: columns are separated by {what}, expected commas")
        for number, name in enumerate(names, start=1):
            if not name:
                raise DataError(f"{place}: column {number} has no name; remove it (in pandas: index=False)")
            if names.count(name) > 1:
                raise DataError(f"{place}: the column {name!r} occurs more than once")
        for row in some:
            if len(row) not in (0, len(names)):
                raise DataError(
                    f"{self.name}: has {len(names)} names of columns, and {len(row)} cells in a row below; a "
                    "value with a comma must be in double quotes"
                )

    def _read(self, columns: Sequence[str], kind: Any) -> Iterator[Any]:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        try:
            yield from arrow_csv.open_csv(
                self._path,
                read_options=arrow_csv.ReadOptions(use_threads=False, column_names=self._header, skip_rows=1),
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(columns, kind),
                    include_columns=[*columns],
                    null_values=[space + cell for cell in NOTHING for space in ("", " ")],
                ),
            )
        except pa.ArrowInvalid as error:
            if found := WRONG_CELL.search(str(error)):
                raise DataError(
                    f"{self.name}:{found[2]}: {self._header[int(found[1])]} is {shown(found[3])}, expected a "
                    "number as in the rows above"
                ) from None
            raise DataError(f"{self.name}: {str(error)[:300]}") from None


def kind_of(kind: Any) -> Kind:
    """What a type of pyarrow is here."""
    from pyarrow import types

    def real(one: Any) -> bool:
        return bool(types.is_integer(one) or types.is_floating(one) or types.is_boolean(one))

    if types.is_dictionary(kind):
        return kind_of(kind.value_type)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return "vectors" if real(kind.value_type) else "other"
    if real(kind) or types.is_decimal(kind):
        return "numbers"
    texts = types.is_string, types.is_large_string, types.is_string_view, types.is_temporal, types.is_null
    return "texts" if any(is_one(kind) for is_one in texts) else "other"


def _texts(arrays: Iterable[Any], names: Sequence[str] | None = None) -> list[str]:
    """Of all rows; those that are the same in one array are one object."""
    import pyarrow as pa

    found: list[str] = []
    for array in arrays:
        plain = array.cast(pa.string()) if pa.types.is_string_view(array.type) else array
        encoded = plain if pa.types.is_dictionary(plain.type) else plain.dictionary_encode()
        values = [*as_texts(encoded.dictionary.to_pylist(), names), ""]
        found += map(values.__getitem__, encoded.indices.fill_null(len(values) - 1).to_pylist())
    return found


def _example(cells: set[str]) -> str:
    """What a column of texts holds, in words."""
    found = next((cell for cell in sorted(cells - NOTHING) if not _is_number(cell)), "")
    if found[:1] in ("[", "("):
        return f"lists that are written as text, such as {shown(found, 20)}; write a parquet file"
    return f"texts such as {shown(found, 20)}" if found else "nothing"


def _are_numbers(cells: set[str]) -> bool:
    return bool(cells) and all(map(_is_number, cells))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
