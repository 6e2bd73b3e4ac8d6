"""From a path, or the name of a data set of the Hub, to its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness.api.importing import did_you_mean, readable
from alharness.errors import DataError

from .arrow import Csv, Parquet
from .sources import Npy, Npz

if TYPE_CHECKING:
    from pathlib import Path

    from .params import EmbeddingsParams
    from .sources import Source

ENDINGS = (".parquet", ".npz", ".npy", ".csv")
EXPECTED = "a file .parquet, .npz, .npy or .csv"
SAVED = ("state.json", "dataset_dict.json")
"""Files in a folder that `save_to_disk` of the library `datasets` has made."""


def source_of(params: EmbeddingsParams) -> Source:
    """What the parameters name. Raises DataError."""
    if params.path is None:
        from .hub import from_hub

        assert params.hub is not None
        return from_hub(params.hub, params.part)
    path = readable(params.path)
    if any((path / name).exists() for name in SAVED):
        from .hub import from_folder

        return from_folder(path, params.part)
    return open_source(path)


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
