"""Files of columns: which there are, their texts, and their numbers in pieces.

A table may be larger than memory: its numbers are never read as a whole. Parquet and CSV are read by pyarrow,
which MLflow brings.
"""

from __future__ import annotations

import csv
import zipfile
from abc import ABC, abstractmethod
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.lib import format as npy

from alharness.api.importing import did_you_mean, word
from alharness.errors import DataError, described

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Kind = Literal["vectors", "numbers", "texts", "other"]
    Piece = tuple[NDArray[Any], NDArray[np.bool_]]

REAL = "fiub"
ENDINGS = (".parquet", ".npz", ".npy", ".csv")
EXPECTED = "a file .parquet, .npz, .npy or .csv"
BATCH = 2048
"""Rows that are read together."""

SAMPLE = 100
"""Rows of a CSV file that say which columns hold numbers."""

BUFFER = 2**20
"""Bytes that are read together of a column of a parquet file, instead of all of its row group."""


class Source(ABC):
    """Columns of as many rows.

    Attributes:
        name: of the file, for messages.
        files: whose change makes it another.
        rows: of each column.
        columns: name -> what it holds.
        names: column -> names of its integers, if it says them, as a `ClassLabel` does.
        version: of what is in no file.
    """

    name: str
    files: Sequence[Path]
    rows: int
    columns: Mapping[str, Kind]
    names: Mapping[str, Sequence[str]] = {}
    version: str = ""

    @abstractmethod
    def texts(self, column: str) -> list[str]:
        """All rows of a column as text; empty if there is nothing in them."""

    @abstractmethod
    def pieces(self, columns: Sequence[str]) -> Iterator[Piece]:
        """Columns of vectors or numbers next to each other, (b, d), and which of the rows are there, (b,)."""

    def require(self, column: str, what: str) -> str:
        """The name itself. Raises DataError, naming the nearest, if there is no such column."""
        if column not in self.columns:
            listed = ", ".join(map(word, list(self.columns)[:20])) + (", ..." if len(self.columns) > 20 else "")
            near = did_you_mean(column, self.columns) or ";"
            raise DataError(f"{self.name}: there is no column {column!r} for {what}{near} columns are {listed}")
        return column


def open_source(path: Path) -> Source:
    """Open a file, or a folder of parquet files; its numbers are not read. Raises DataError."""
    try:
        if path.is_dir():
            files = sorted(file for file in path.glob("*.parquet") if file.name[0] != ".")
            if not files:
                raise DataError(f"{path}: is a folder without .parquet files; name {EXPECTED}, or see `arrays`")
            return Parquet(path, files)
        if not path.exists():
            readable = [file.name for file in path.parent.glob("*") if file.suffix.lower() in ENDINGS]
            near = did_you_mean(path.name, readable)
            raise DataError(f"{path}: not found{near or f'; expected {EXPECTED}'}")
        match path.suffix.lower():
            case ".parquet":
                return Parquet(path, [path])
            case ".npz":
                return Npz(path)
            case ".npy":
                return Npy(path)
            case ".csv":
                return Csv(path)
        raise DataError(f"{path}: expected {EXPECTED}, or a folder of .parquet files")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


class Arrow(Source):
    """What pyarrow reads."""

    @abstractmethod
    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Record batches of these columns."""

    def texts(self, column: str) -> list[str]:
        """Numbers as Python writes them; whole ones without a point if all are whole."""
        import pyarrow as pa

        found: list[str] = []
        names = self.names.get(column)
        for batch in self.batches([column]):
            array = batch.column(0)
            if pa.types.is_dictionary(array.type):
                array = array.dictionary_decode()
            found += _texts(array.to_pylist(), names)
        return without_points(found) if self.columns[column] == "numbers" else found

    def pieces(self, columns: Sequence[str]) -> Iterator[Piece]:
        """As `Source.pieces`. Raises DataError, with the row, if vectors differ in length."""
        widths: dict[str, int] = {}
        start = 0
        for batch in self.batches(columns):
            there = np.ones(batch.num_rows, bool)
            parts = []
            for column in columns:
                array = batch.column(column)
                part, valid = self._matrix(array, column, widths, start)
                parts.append(part)
                there &= valid
            yield np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0], there
            start += batch.num_rows

    def _matrix(self, array: Any, column: str, widths: dict[str, int], start: int) -> Piece:
        import pyarrow.compute as pc

        if self.columns[column] == "numbers":
            values = array.to_numpy(zero_copy_only=False)  # NaN if there is nothing
            return values.reshape(-1, 1), np.ones(len(values), bool)
        valid = np.asarray(array.is_valid())
        lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
        known = lengths[valid]
        width = widths.setdefault(column, int(known[0])) if len(known) else widths.get(column, 0)
        if len(bad := np.flatnonzero(valid & (lengths != width))):
            raise DataError(
                f"{self.name}, row {start + bad[0]}: {column} has {lengths[bad[0]]} numbers, and {width} in rows "
                "before; every row needs as many"
            )
        flat = array.flatten().to_numpy(zero_copy_only=False).reshape(len(known), width)
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
        self._parts = parts
        self.rows = sum(part.metadata.num_rows for part in parts)
        self.columns = {field.name: kind_of(field.type) for field in schema}

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Row group by row group."""
        for part in self._parts:
            yield from part.iter_batches(batch_size=BATCH, columns=[*columns], use_threads=False)


class Csv(Arrow):
    """A CSV file in UTF-8, with a header."""

    def __init__(self, path: Path) -> None:
        self.name, self.files, self._path = str(path), [path], path
        if not path.stat().st_size:
            raise DataError(f"{path}: is empty; expected a header and one row per sample")
        with path.open(encoding="utf-8-sig", newline="") as file:
            try:
                reader = csv.reader(file)
                header, *some = islice(reader, 1 + SAMPLE)
            except (csv.Error, UnicodeDecodeError) as error:
                raise DataError(f"{path}: is not CSV in UTF-8 ({error})") from None
        if twice := next((name for name in header if header.count(name) > 1), None):
            raise DataError(f"{path}:1: the column {twice!r} occurs more than once")
        for row in some:
            if len(row) not in (0, len(header)):
                raise DataError(f"{path}: has {len(header)} names of columns, and {len(row)} cells in a row below")
        cells = {name: {row[at] for row in some if row} - {""} for at, name in enumerate(header)}
        self.columns = {
            name: "numbers" if found and all(map(_is_number, found)) else "texts" for name, found in cells.items()
        }
        self.rows = sum(batch.num_rows for batch in self._read(header[:1], "texts"))

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Of numbers."""
        return self._read(columns, "numbers")

    def texts(self, column: str) -> list[str]:
        """As they are written, without the spaces around them."""
        return [text for batch in self._read([column], "texts") for text in _texts(batch.column(0).to_pylist())]

    def _read(self, columns: Sequence[str], kind: Kind) -> Iterator[Any]:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        kinds = dict.fromkeys(columns, pa.float64() if kind == "numbers" else pa.string())
        try:
            yield from arrow_csv.open_csv(
                self._path,
                read_options=arrow_csv.ReadOptions(use_threads=False),
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(column_types=kinds, include_columns=[*columns]),
            )
        except pa.ArrowInvalid as error:
            raise DataError(f"{self._path}: {str(error)[:300]}") from None


class Npz(Source):
    """Arrays in an archive of numpy."""

    def __init__(self, path: Path) -> None:
        self.name, self.files, self._path = str(path), [path], path
        try:
            with zipfile.ZipFile(path) as archive:
                members = [name for name in archive.namelist() if name.endswith(".npy")]
                self._headers = {name.removesuffix(".npy"): _header(archive, name) for name in members}
        except (zipfile.BadZipFile, ValueError) as error:
            raise DataError(f"{path}: is no whole .npz file ({error})") from None
        kinds = {name: _kind(shape, dtype) for name, (shape, _, dtype) in self._headers.items()}
        vectors = [name for name, kind in kinds.items() if kind == "vectors"]
        first = next(iter(vectors or [name for name, kind in kinds.items() if kind == "numbers"]), None)
        if first is None:
            raise DataError(f"{path}: holds no array of numbers with a row for each sample")
        counts = {name: shape[0] if shape else 0 for name, (shape, _, _) in self._headers.items()}
        self.rows = counts[first]
        for name in vectors:
            if counts[name] != self.rows:
                raise DataError(f"{path}: {name} has {counts[name]:,} rows, and {first} has {self.rows:,}")
        self.columns = {name: kind for name, kind in kinds.items() if counts[name] == self.rows}

    def texts(self, column: str) -> list[str]:
        """Of an array of texts or numbers."""
        with np.load(self._path, allow_pickle=False) as archive:
            found = _texts(archive[column].tolist())
        return without_points(found) if self.columns[column] == "numbers" else found

    def pieces(self, columns: Sequence[str]) -> Iterator[Piece]:
        """Read from the archive in their order; an array in Fortran's order as a whole."""
        readers = [self._rows(column) for column in columns]
        for parts in zip(*readers, strict=True):
            whole = np.concatenate(parts, axis=1)
            yield whole, np.ones(len(whole), bool)

    def _rows(self, column: str) -> Iterator[NDArray[Any]]:
        shape, fortran, dtype = self._headers[column]
        width = shape[1] if len(shape) == 2 else 1
        with zipfile.ZipFile(self._path) as archive, archive.open(f"{column}.npy") as file:
            if fortran:
                whole = npy.read_array(file, allow_pickle=False).reshape(shape[0], width)
                yield from (whole[start : start + BATCH] for start in range(0, self.rows, BATCH))
                return
            _read_header(file)
            for start in range(0, self.rows, BATCH):
                count = min(BATCH, self.rows - start)
                content = file.read(count * width * dtype.itemsize)
                yield np.frombuffer(content, dtype).reshape(count, width)


class Npy(Source):
    """One array of numpy: the only column, which has the name of the file."""

    def __init__(self, path: Path) -> None:
        from alharness.api.importing import read_header

        self.name, self.files, self._path = str(path), [path], path
        try:
            shape, dtype = read_header(path)
        except ValueError as error:
            raise DataError(f"{path}: is no whole .npy file ({error}); write it with numpy.save") from None
        self.columns = {path.stem: _kind(shape, dtype)}
        if self.columns[path.stem] != "vectors":
            raise DataError(
                f"{path}: holds {dtype} of shape {shape}, expected numbers of shape (samples, features)"
            )
        self.rows = shape[0]

    def texts(self, column: str) -> list[str]:
        """There are none."""
        raise DataError(f"{self.name}: {column} holds vectors, and no texts; name a file of labels: labels")

    def pieces(self, columns: Sequence[str]) -> Iterator[Piece]:
        """From the mapped file."""
        array = npy.open_memmap(self._path, mode="r")
        for start in range(0, self.rows, BATCH):
            piece = np.concatenate([array[start : start + BATCH] for _ in columns], axis=1)
            yield piece, np.ones(len(piece), bool)


def kind_of(kind: Any) -> Kind:
    """What a type of pyarrow is here."""
    from pyarrow import types

    def real(one: Any) -> bool:
        return bool(types.is_integer(one) or types.is_floating(one) or types.is_boolean(one))

    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return "vectors" if real(kind.value_type) else "other"
    if real(kind):
        return "numbers"
    if types.is_dictionary(kind):
        return kind_of(kind.value_type)
    return "texts" if types.is_string(kind) or types.is_large_string(kind) else "other"


def _kind(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Kind:
    if len(shape) == 2 and dtype.kind in REAL:
        return "vectors"
    if len(shape) == 1 and dtype.kind in REAL:
        return "numbers"
    return "texts" if len(shape) == 1 and dtype.kind == "U" else "other"


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    with archive.open(name) as file:
        return _read_header(file)


def _read_header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return read(file)


def _texts(values: Sequence[Any], names: Sequence[str] | None = None) -> list[str]:
    """Values as texts; nothing, NaN, and a number that has no name although others have, are empty."""
    if names is not None:
        return [names[value] if value is not None and 0 <= value < len(names) else "" for value in values]
    return ["" if value is None or value != value else str(value).strip() for value in values]  # noqa: PLR0124 - NaN


def without_points(texts: Sequence[str]) -> list[str]:
    """`1.0` as `1` if all are like that: a column of whole numbers is one of real numbers if some are missing."""
    whole = all(text.endswith(".0") for text in texts if text)
    return [text.removesuffix(".0") for text in texts] if whole else [*texts]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
