"""What people see of a sample: the columns of a table, such as its text, or the address of its image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from alharness.errors import DataError
from alharness.labeling.labels import ID, read_rows
from alharness.text import spreadsheets
from alharness.text.words import counted, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

Kind = Literal["text", "image", "audio"]

SAMPLE, BATCH, RANK, CHOSEN_BY = "sample", "batch", "rank", "chosen_by"
"""What goes with each sample, next to its contents."""
ENDINGS: dict[Kind, frozenset[str]] = {
    "image": frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp"}),
    "audio": frozenset({".flac", ".m4a", ".mp3", ".ogg", ".wav"}),
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column that people see.

    Attributes:
        name: in the tool: small letters, digits and low lines.
        title: in the table.
        kind: how it is shown.
    """

    name: str
    title: str
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What people see of some samples.

    Attributes:
        columns: at least one.
        cells: id -> name of a column -> cell.
    """

    columns: tuple[Column, ...]
    cells: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, path: Path | None, ids: Collection[str]) -> Contents:
        """The rows of these samples in a CSV or parquet file with the column `id`; without a file their ids.

        Raises:
            DataError: it is no such table, or has no row of a sample, or two.
        """
        if path is None:
            cells = {name: {SAMPLE: name} for name in ids}
            return cls(columns=(Column(name=SAMPLE, title=SAMPLE, kind="text"),), cells=cells)
        rows: dict[str, dict[str, str]] = {}
        for row in _rows(path, {*ids}):
            name = row.pop(ID)
            if name in rows:
                raise DataError(f"{path}: the id {name[:80]!r} occurs more than once; keep one row")
            rows[name] = row
        if missing := [name for name in ids if name not in rows]:
            some = ", ".join(name[:80] for name in missing[:5]) + ", ..." * (len(missing) > 5)
            raise DataError(f"{path}: there is no row for {counted(len(missing), 'sample')} of the batch: {some}")
        titles = [*next(iter(rows.values()), {})]
        if not titles:
            raise DataError(f"{path}: has no column but {ID!r}; people need to see something of a sample")
        reserved = (SAMPLE, BATCH, RANK, CHOSEN_BY)
        names = spreadsheets.unique([*reserved, *(spreadsheets.ascii_name(title).lower() for title in titles)])
        columns = tuple(
            Column(name=name, title=title, kind=_kind(row[title] for row in rows.values()))
            for name, title in zip(names[len(reserved) :], titles, strict=True)
        )
        return cls(
            columns=columns,
            cells={name: {column.name: row[column.title] for column in columns} for name, row in rows.items()},
        )


def require_ids(path: Path) -> None:
    """Raise DataError if it is no table with the column `id`."""
    for _ in _rows(path, ()):
        pass


def _kind(cells: Iterable[str]) -> Kind:
    """What all cells are that are not empty."""
    found = {_kind_of(cell) for cell in cells if cell}
    return found.pop() if len(found) == 1 else "text"


def _kind_of(cell: str) -> Kind:
    if shown := re.match(r"data:(image|audio)/", cell):
        return "image" if shown[1] == "image" else "audio"
    if "\n" in cell or (" " in cell.strip() and "://" not in cell):
        return "text"
    try:
        ending = PurePosixPath(urlsplit(cell).path).suffix.lower()
    except ValueError:
        return "text"
    return next((kind for kind, endings in ENDINGS.items() if ending in endings), "text")


def _rows(path: Path, ids: Collection[str]) -> Iterator[dict[str, str]]:
    """Those of these samples, as texts. Of parquet the columns of texts and plain numbers alone."""
    if path.suffix != ".parquet":
        yield from (row for _, row in read_rows(path, (ID,)) if row[ID] in ids)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except FileNotFoundError:
        raise DataError(f"{path}: not found") from None
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: is no parquet file ({error})") from None
    if ID not in schema.names:
        near = did_you_mean(ID, schema.names)
        raise DataError(f"{path}: there is no column {ID!r}{near}; found {', '.join(schema.names)[:200]}")
    plain = [field.name for field in schema if not pa.types.is_nested(field.type) and not _is_bytes(field.type)]
    for batch in pq.ParquetFile(path).iter_batches(columns=plain):
        names = batch.column(ID).to_pylist()
        wanted = [place for place, name in enumerate(names) if str(name) in ids]
        for row in batch.take(pa.array(wanted, pa.int64())).to_pylist():
            yield {name: "" if cell is None else str(cell) for name, cell in row.items()}


def _is_bytes(kind: object) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))
