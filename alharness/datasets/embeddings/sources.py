"""Files of columns: which there are, their texts, and their numbers in pieces.

A table may be larger than memory: its numbers are never read as a whole.
"""

from __future__ import annotations

import zipfile
import zlib
from abc import ABC, abstractmethod
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
BATCH = 2048
"""Rows that are read together."""


DAMAGES = zipfile.BadZipFile, zlib.error, ValueError, EOFError
"""What reading an archive raises that is not as it was written."""


class Source(ABC):
    """Columns of as many rows.

    Attributes:
        name: of the file, for messages.
        files: whose change makes it another.
        rows: of each column.
        columns: name -> what it holds.
        held: the same for messages, as exactly as the file says it.
        names: column -> names of its integers, if it says them, as a `ClassLabel` does.
        version: of what is in no file.
    """

    name: str
    files: Sequence[Path]
    rows: int
    columns: Mapping[str, Kind]
    held: Mapping[str, str]
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

    def require_values(self, column: str, what: str) -> str:
        """The same for a column that has a text or a number in each row."""
        if self.columns[self.require(column, what)] in ("texts", "numbers"):
            return column
        raise DataError(
            f"{self.name}: {column!r} holds {self.held[column]}, and cannot be the {what}; it needs a text or a "
            f"number in each of the {self.rows:,} rows"
        )


class Npz(Source):
    """Arrays in an archive of numpy."""

    def __init__(self, path: Path) -> None:
        self.name, self.files, self._path = str(path), [path], path
        try:
            with zipfile.ZipFile(path) as archive:
                members = [name for name in archive.namelist() if name.endswith(".npy")]
                self._headers = {name.removesuffix(".npy"): _header(archive, name) for name in members}
        except DAMAGES as error:
            raise DataError(f"{path}: is no whole .npz file ({error})") from None
        kinds = {name: _kind(shape, dtype) for name, (shape, _, dtype) in self._headers.items()}
        vectors = [name for name, kind in kinds.items() if kind == "vectors"]
        first = next(iter(vectors or [name for name, kind in kinds.items() if kind == "numbers"]), None)
        if first is None:
            held = [f"{name} ({_held(shape, dtype)})" for name, (shape, _, dtype) in self._headers.items()]
            raise DataError(
                f"{path}: holds no array of numbers of shape (samples, features), but "
                f"{', '.join(held) or 'nothing'}"
            )
        counts = {name: shape[0] if shape else 0 for name, (shape, _, _) in self._headers.items()}
        self.rows = counts[first]
        for name in vectors:
            if counts[name] != self.rows:
                raise DataError(f"{path}: {name} has {counts[name]:,} rows, and {first} has {self.rows:,}")
        self.columns = {name: kind if counts[name] == self.rows else "other" for name, kind in kinds.items()}
        self.held = {name: _held(shape, dtype) for name, (shape, _, dtype) in self._headers.items()}

    def texts(self, column: str) -> list[str]:
        """Of an array of texts or numbers."""
        with np.load(self._path, allow_pickle=False) as archive:
            array = archive[column]
        found = as_texts((np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array).tolist())
        return without_points(found) if self.columns[column] == "numbers" else found

    def pieces(self, columns: Sequence[str]) -> Iterator[Piece]:
        """Read from the archive in their order; an array in Fortran's order as a whole."""
        readers = [self._rows(column) for column in columns]
        try:
            for parts in zip(*readers, strict=True):
                whole = np.concatenate(parts, axis=1)
                yield whole, np.ones(len(whole), bool)
        except DAMAGES as error:
            raise damaged(self.name, error) from None

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
        self.held = {path.stem: _held(shape, dtype)}
        if self.columns[path.stem] != "vectors":
            raise DataError(f"{path}: holds {_held(shape, dtype)}, expected numbers of shape (samples, features)")
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


def _kind(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Kind:
    if len(shape) == 2 and dtype.kind in REAL:
        return "vectors"
    if len(shape) == 1 and dtype.kind in REAL:
        return "numbers"
    return "texts" if len(shape) == 1 and dtype.kind in "US" else "other"


def _held(shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    kinds = {"O": "Python objects (save texts with .astype(str))", "U": "texts", "S": "texts"}
    return f"{kinds.get(dtype.kind, str(dtype))} of shape {shape}"


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    with archive.open(name) as file:
        return _read_header(file)


def _read_header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return read(file)


def damaged(name: str, error: Exception) -> DataError:
    """What to raise when a file that was opened cannot be read to its end."""
    return DataError(f"{name}: is damaged, and cannot be read: {' '.join(described(error).split())}")


def as_texts(values: Sequence[Any], names: Sequence[str] | None = None) -> list[str]:
    """Values as texts; nothing, NaN, and a number that has no name although others have, are empty."""
    if names is not None:
        return [names[value] if value is not None and 0 <= value < len(names) else "" for value in values]
    return ["" if value is None or value != value else str(value).strip() for value in values]  # noqa: PLR0124 - NaN


def without_points(texts: Sequence[str]) -> list[str]:
    """`1.0` as `1` if all are like that: a column of whole numbers is one of real numbers if some are missing."""
    whole = all(text.endswith(".0") for text in texts if text)
    return [text.removesuffix(".0") for text in texts] if whole else [*texts]
